"""`vs` and `max_regression`: from a baseline to a limit, and every baseline that must not be compared with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retspec.errors import SpecError
from retspec.records import Direction, Regression, Spec
from retspec.results.provenance import subject_of, subject_sha256
from retspec.spec.load import load
from retspec.spec.validate import validate
from retspec.spec.validate.baselines import _worst
from retspec.text.wording import required

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.plugins.catalog import Catalog

HEAD = "retspec: 1\nmodel: {timm: vit_tiny_patch16_224, lora: {target_modules: [qkv]}}\n"
BLESSED = {
    "merge_atol": {"check": "merge_atol", "value": 2e-6, "arguments": {"steps": 20, "batches": None}},
    "loss_drop": {"check": "loss_drop", "value": 0.8, "arguments": {"steps": 20, "relative_to": "first"}},
    "max_trainable_params": {"check": "max_trainable_params", "value": 1000, "unit": "parameters"},
}
VS = "vs: baseline.json"


def spec_of(folder: Path, catalog: Catalog, checks: str, head: str = HEAD) -> Spec:
    path = folder / "spec.yaml"
    path.write_text(f"{head}checks:\n" + "".join(f"  {line}\n" for line in checks.splitlines()))
    return validate(load(path), catalog)


@pytest.fixture
def folder(tmp_path: Path, catalog: Catalog) -> Path:
    """A folder with a baseline of the subject in `HEAD`."""
    subject = subject_of(spec_of(tmp_path, catalog, "merge_atol: 1"))
    baseline: dict[str, Any] = {
        "retspec_baseline": 1,
        "blessed": {"who": "me", "reason": "it is right", "when": "2026-01-15T09:30:00"},
        "subject": subject,
        "subject_sha256": subject_sha256(subject),
        "values": BLESSED,
    }
    (tmp_path / "baseline.json").write_text(json.dumps(baseline))
    return tmp_path


def refusal(folder: Path, catalog: Catalog, checks: str, head: str = HEAD) -> str:
    with pytest.raises(SpecError) as error:
        spec_of(folder, catalog, checks, head)
    return str(error.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("criterion", "limit"),
    [
        (f"merge_atol: {{{VS}, max_regression: 50%}}", 3e-6),
        (f"merge_atol: {{{VS}, max_regression: 0.5e-6}}", 2.5e-6),
        (f"merge_atol: {{{VS}, max_regression: 0}}", 2e-6),
        (f"loss_drop: {{{VS}, max_regression: 25%}}", 0.6),
        (f"loss_drop: {{{VS}, max_regression: 0.1}}", 0.7),
        (f"max_trainable_params: {{{VS}, max_regression: 1%}}", 1010),
    ],
)
def test_the_worst_value_that_the_baseline_allows_is_the_limit(
    folder: Path, catalog: Catalog, criterion: str, limit: float
) -> None:
    (held,) = spec_of(folder, catalog, criterion).criteria
    assert held.limit == pytest.approx(limit)
    assert held.regression
    assert held.regression.value == BLESSED[held.id]["value"]


def test_a_limit_of_a_baseline_is_shown_rounded(folder: Path, catalog: Catalog) -> None:
    (held,) = spec_of(folder, catalog, f"merge_atol: {{{VS}, max_regression: 33.333%}}").criteria
    assert held.limit == pytest.approx(2e-6 * 1.33333)
    assert required(held) == "at most 2.667e-06"


@pytest.mark.parametrize(
    ("criterion", "limit"),
    [
        (f"loss_drop: {{{VS}, max_regression: 25%, limit: 0.7}}", 0.7),
        (f"loss_drop: {{{VS}, max_regression: 25%, limit: 0.5}}", 0.6),
        (f"merge_atol: {{{VS}, max_regression: 50%, limit: 1e-5}}", 3e-6),
        (f"merge_atol: {{{VS}, max_regression: 50%, limit: 1e-6}}", 1e-6),
    ],
)
def test_of_limit_and_baseline_the_stricter_holds(folder: Path, catalog: Catalog, criterion: str, limit: float) -> None:
    assert spec_of(folder, catalog, criterion).criteria[0].limit == pytest.approx(limit)


def test_a_skipped_criterion_needs_no_baseline(tmp_path: Path, catalog: Catalog) -> None:
    checks = f"loss_drop: {{{VS}, max_regression: 5%, skip: no baseline yet}}"
    assert spec_of(tmp_path, catalog, checks).criteria[0].limit is None


@pytest.mark.parametrize(
    ("checks", "says"),
    [
        ("loss_drop: {vs: gone.json, max_regression: 5%}", "gone.json: there is no such file"),
        ("loss_drop: {vs: spec.yaml, max_regression: 5%}", "this is not JSON"),
        (
            f"loss_dropp: {{check: loss_drop, {VS}, max_regression: 5%}}",
            "spec.yaml:4:38: loss_dropp: baseline.json has no value of 'loss_dropp'; did you mean 'loss_drop'?; it",
        ),
        (f"loss_drop: {{{VS}, max_regression: 5%, with: {{steps: 3}}}}", "observed with other arguments"),
        (f"merge_atol: {{{VS}, max_regression: 50%, warn: 5e-6}}", "warn is 5e-06, but only a value below the limit"),
        (f"head_trainable: {{{VS}, max_regression: 5%}}", "nothing is worse than a baseline, so it takes no `vs`"),
    ],
)
def test_what_cannot_be_compared_is_told_with_its_place(folder: Path, catalog: Catalog, checks: str, says: str) -> None:
    told = refusal(folder, catalog, checks)
    assert told.startswith("spec.yaml:4:")
    assert says in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("train: {lr: 0.1}\n", "about another subject: train.lr was the default and is 0.1"),
        ("run: {seed: 7}\n", "run.seed was 42 and is 7"),
        ("run: {dtype: bfloat16}\n", 'run.dtype was the default and is "bfloat16"'),
        ("data: {csv: labels.csv, image: path}\n", "data.arguments was the default"),
    ],
)
def test_a_baseline_of_another_subject_is_an_error(folder: Path, catalog: Catalog, change: str, says: str) -> None:
    assert says in refusal(folder, catalog, f"loss_drop: {{{VS}, max_regression: 5%}}", HEAD + change)


def test_a_baseline_of_another_check_is_an_error(folder: Path, catalog: Catalog) -> None:
    checks = f"loss_drop: 0.5\nmerge_atol: {{{VS}, max_regression: 5%}}"
    text = (folder / "baseline.json").read_text()
    (folder / "baseline.json").write_text(text.replace('"check": "merge_atol"', '"check": "reload_atol"'))
    assert "baseline.json has a value of the check 'reload_atol' there" in refusal(folder, catalog, checks)


@pytest.mark.parametrize("value", ["true", '"0.8"', "null", "1" + "0" * 400])
def test_a_baseline_without_a_genuine_number_is_an_error(folder: Path, catalog: Catalog, value: str) -> None:
    path = folder / "baseline.json"
    path.write_text(path.read_text().replace("0.8", value))
    assert "loss_drop: " in refusal(folder, catalog, f"loss_drop: {{{VS}, max_regression: 5%}}")


def test_the_subject_is_that_of_what_is_meant_not_of_how_it_is_written(tmp_path: Path, catalog: Catalog) -> None:
    """Else a baseline would be lost to a line that changes nothing."""
    short = subject_of(spec_of(tmp_path, catalog, "merge_atol: 1"))
    spelt = "train: {steps: 20, lr: 0.001}\nrun: {device: cpu, seed: 42, threads: 1}\nname: other\n"
    assert subject_of(spec_of(tmp_path, catalog, "loss_drop: 1", HEAD + spelt)) == short
    assert subject_sha256(dict(reversed(short.items()))) == subject_sha256(short)


def test_a_path_below_the_spec_is_the_same_in_every_checkout(tmp_path: Path, catalog: Catalog) -> None:
    relative, absolute = (
        subject_of(spec_of(tmp_path, catalog, "merge_atol: 1", HEAD.replace("lora:", f"checkpoint: {path}, lora:")))
        for path in ("w/a.pth", tmp_path / "w" / "a.pth")
    )
    assert relative == absolute
    assert relative["model"]["checkpoint"] == "w/a.pth"


SIZES = st.floats(-1e6, 1e6)


@given(value=SIZES, most=st.one_of(st.floats(0, 1e6), st.integers(0, 500).map("{}%".format)))
def test_the_baseline_itself_is_never_a_regression(value: float, most: str | float) -> None:
    known = Regression(vs="baseline.json", most=most, value=value)
    assert _worst(Direction.AT_LEAST, known) <= value <= _worst(Direction.AT_MOST, known)

"""What every format shows of several seeds: the values, how often the verdict flips, a margin within the noise."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from retspec.judge import judge
from retspec.records import Aggregate, Direction, Flips, Observed, Outcome, Proof, Spread, Verdict
from retspec.report.formats.github import github
from retspec.report.formats.junit import render_junit
from retspec.report.formats.markdown import render_markdown
from retspec.report.formats.results import plain_document
from retspec.report.formats.table import render_table
from retspec.report.page import render_page
from retspec.results.results_file import read_report
from retspec.text.masking import Mask
from tests.report.formats.sample import TODAY, criterion, report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from retspec.records import Criterion, Report, Result

WIDE, FLIPPING, STEADY = (0.51, 0.6, 0.55, 0.53, 0.58), (0.8, 0.9, 0.4, 0.7, 0.6), (0.9, 0.91, 0.9, 0.92, 0.9)
NOISY = (
    "loss_drop: its margin 0.01 is within its noise 0.07294 (5 seeds): the verdict may flip; "
    "calibrate its limit (`retspec calibrate --seeds`), or raise the steps that it is measured over"
)
FLIPS = (
    "loss_drop: the verdict flips with the seed: met under 4, missed under 1 of 5; "
    "calibrate its limit (`retspec calibrate --seeds`), or raise the steps that it is measured over"
)


def under(values: Sequence[Any], held: Criterion | None = None) -> Result:
    held = held or criterion()
    by_seed = {42 + n: Outcome(id=held.id, observed=Observed(value)) for n, value in enumerate(values)}
    return judge(held, Outcome(id=held.id, by_seed=by_seed), today=TODAY)


def shown(values: Sequence[Any], held: Criterion | None = None) -> Report:
    return report(under(values, held))


FORMATS = {
    "table": render_table,
    "markdown": lambda found: render_markdown(found).replace("\\", ""),
    "junit": render_junit,
    "html": lambda found: re.sub(r"</?code>", "`", render_page([found])).replace("&gt;", ">"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_shows_the_values_and_a_margin_within_their_noise(name: str) -> None:
    text = FORMATS[name](shown(WIDE))
    assert "0.51 … 0.6 over 5 seeds" in text
    assert NOISY in text


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_that_a_verdict_flips(name: str) -> None:
    text = FORMATS[name](shown(FLIPPING))
    assert "0.4 … 0.9 over 5 seeds, flips 1 of 5" in text
    assert FLIPS in text


def proven(deviation: float = 0.02, *, runs: int = 20, device: str = "cpu", value: float = 0.51) -> Report:
    """Return a report of one value, of a spec whose noise is known from a proof on the CPU."""
    spread = Spread(runs=runs, least=0.5, median=0.53, greatest=0.57, deviation=deviation)
    flips = Flips(runs=runs, flipped=0, observed={"loss_drop": spread}, device="cpu")
    proof = Proof(name="lora_preflight", file="a.yaml", spec_sha256="5e" * 32, criteria=(), flips=flips)
    once = judge(criterion(), Outcome(id="loss_drop", observed=Observed(value)), today=TODAY)
    made = report(once)
    return replace(made, proof=proof, provenance=replace(made.provenance, device=device))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_knows_the_noise_of_a_proof(name: str) -> None:
    assert NOISY.replace("0.07294 (5 seeds)", "0.04 (20 runs of `retspec prove --aa`)") in FORMATS[name](proven())


@pytest.mark.parametrize("other", [{"deviation": 0.005}, {"runs": 2}, {"device": "cuda"}, {"value": 0.7}], ids=str)
def test_a_proof_that_says_nothing_of_this_value_is_not_named(other: dict[str, Any]) -> None:
    assert "its noise" not in render_table(proven(**other))


def test_seeds_say_more_than_a_proof() -> None:
    found = replace(proven(), results=(under(STEADY),))
    assert "its noise" not in render_table(found)


def test_annotations_have_a_notice_of_the_noise() -> None:
    assert f"::notice title=lora_preflight%3A note::{NOISY}" in github(shown(WIDE))


@pytest.mark.parametrize("name", FORMATS)
def test_a_margin_beyond_the_noise_is_not_pointed_out(name: str) -> None:
    text = FORMATS[name](shown(STEADY))
    assert "0.9 … 0.92 over 5 seeds" in text
    assert "may flip" not in text
    assert "flips with" not in text


def test_a_median_is_less_noisy_than_its_values() -> None:
    held = criterion(aggregate=Aggregate.MEDIAN, limit=0.505)
    assert "within its noise" not in render_table(shown(WIDE, held))
    assert "within its noise 0.04088" in render_table(shown(WIDE, criterion(aggregate=Aggregate.MEDIAN, limit=0.53)))


def test_a_narrow_miss_may_flip_as_well() -> None:
    assert "its margin -0.011 is within its noise" in render_table(shown((0.58, 0.58, 0.57), criterion(limit=0.581)))


def test_without_noise_no_margin_is_too_small() -> None:
    assert "noise" not in render_table(shown((0.5,) * 5))


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_not_repeated_among_others_says_so(name: str) -> None:
    once = judge(criterion("auroc", 0.5), Outcome(id="auroc", observed=Observed(0.9)), today=TODAY)
    unseen = judge(criterion("gone"), Outcome(id="gone", failure=Verdict.CRASH, reason="SIGSEGV"), today=TODAY)
    text = FORMATS[name](report(under(WIDE), once, unseen))
    assert len(re.findall(r"\bonce\b", text)) == (0 if name == "junit" else 1)
    assert "flips 0" not in text


def test_without_seeds_there_is_no_column_for_them() -> None:
    once = judge(criterion(), Outcome(id="loss_drop", observed=Observed(0.51)), today=TODAY)
    assert "seeds" not in render_table(report(once)).splitlines()[0]
    assert "seeds" in render_table(shown(WIDE)).splitlines()[0]
    assert "seeds" not in plain_document(report(once))["results"][0]


def test_a_narrow_screen_does_without_the_seeds_before_the_margin() -> None:
    head = render_table(shown(WIDE), width=60).splitlines()[0].split()
    assert head == ["criterion", "observed", "limit", "margin", "verdict"]


def test_secrets_are_masked_under_every_seed() -> None:
    held = criterion()
    failed = Outcome(id=held.id, failure=Verdict.ERROR, reason="hunter22 is wrong", trace="at hunter22")
    seen = Outcome(id=held.id, observed=Observed(0.9, {"token": "hunter22"}))
    made = report(judge(held, Outcome(id=held.id, by_seed={42: seen, 43: failed}), today=TODAY))
    assert "hunter22" in str(plain_document(made)["results"][0]["seeds"])
    assert "hunter22" not in str(plain_document(Mask(["hunter22"]).report(made)))


def test_exact_values_are_counted() -> None:
    held = criterion(limit=True, direction=Direction.EQUAL)
    assert "true under 4 of 5 seeds, flips 1 of 5" in render_table(shown((True, True, False, True, True), held))
    assert "true under all 5 seeds" in render_table(shown((True,) * 5, held))


def test_junit_has_the_numbers_for_programs() -> None:
    text = render_junit(shown(FLIPPING, criterion(aggregate=Aggregate.WORST)))
    for fact in ("seeds=5", "flip_rate=0.2", "spread=0.5", "deviation=0.1923", "seed.42=0.8", "seed.44=0.4"):
        assert f"[[PROPERTY|retspec.{fact}" in text
    assert '<property name="aggregate" value="worst" />' in text


def test_results_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    found = shown(FLIPPING, criterion(aggregate=Aggregate.ALL))
    path = tmp_path / "results.json"
    path.write_text(json.dumps(plain_document(found)))
    assert read_report(path) == found
    seeds = json.loads(path.read_text())["results"][0]["seeds"]
    assert (seeds["aggregate"], seeds["judged"], seeds["flips"], seeds["flip_rate"]) == ("all", 44, 1, 0.2)
    assert found.results[0].verdict is Verdict.MISSED

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from retspec.errors import Mark, SpecError
from retspec.plugin import check
from retspec.plugins.catalog import Catalog, Plugin, gather
from retspec.records import Criterion, Direction, Lora, Model, Recipe, RunOptions, Severity, Spec, Waiver
from retspec.spec.load import load
from retspec.spec.validate import validate

if TYPE_CHECKING:
    from pathlib import Path

Validated = Callable[..., Spec]


@pytest.fixture
def validated(tmp_path: Path, catalog: Catalog) -> Validated:
    def make(text: str, *overrides: str, offered: Catalog = catalog) -> Spec:
        path = tmp_path / "lora_preflight.yaml"
        path.write_text(f"retspec: 1\nmodel: {{timm: x}}\n{text}")
        return validate(load(path, overrides), offered)

    return make


def _criterion(validated: Validated, entry: str, *overrides: str) -> Criterion:
    return validated(f"checks:\n  {entry}\n", *overrides).criteria[0]


def test_defaults_fill_a_spec(validated: Validated) -> None:
    spec = validated("checks: {loss_drop: 0.5}")
    assert spec.name == "lora_preflight"
    assert spec.model == Model(source="timm", value="x")
    assert (spec.train, spec.run) == (Recipe(), RunOptions())
    assert spec.data.source == "synthetic"
    assert len(spec.sha256) == 64


def test_a_criterion_copies_what_the_judge_needs(validated: Validated) -> None:
    criterion = _criterion(validated, "loss_drop: 0.5")
    assert (criterion.id, criterion.check, criterion.limit) == ("loss_drop", "loss_drop", 0.5)
    assert criterion.direction is Direction.AT_LEAST
    assert criterion.advice == "Raise the learning rate."
    assert (criterion.mark.line, criterion.mark.column) == (4, 3)


def test_the_long_form_says_everything(validated: Validated) -> None:
    criterion = _criterion(
        validated,
        "a.b: {check: loss_drop, limit: 0, warn: 1, severity: warn, tags: [gpu], timeout: 1.5m, description: why, "
        "with: {steps: 5, relative_to: previous}}",
    )
    assert (criterion.id, criterion.check) == ("a.b", "loss_drop")
    assert (criterion.limit, criterion.warn) == (0.0, 1.0)
    assert isinstance(criterion.limit, float)
    assert criterion.severity is Severity.WARN
    assert (criterion.tags, criterion.timeout, criterion.description) == (("gpu",), 90.0, "why")
    assert criterion.arguments == {"steps": 5, "relative_to": "previous"}


def test_a_shorthand_may_set_an_argument(validated: Validated) -> None:
    criterion = _criterion(validated, "trainable_names: [lora_, head]")
    assert (criterion.limit, criterion.arguments) == (0, {"patterns": ["lora_", "head"]})


@pytest.mark.parametrize(
    ("entry", "limit"),
    [
        ("{4: 393_216, 8: 786_432}", 0.0),
        ("{with: {expected: {4: 393_216, 8: 786_432}}}", 0.0),
        ("{limit: 0.1, with: {expected: {4: 393_216, 8: 786_432}}}", 0.1),
    ],
)
def test_a_mapping_is_the_long_form_if_all_its_keys_are_the_runners(
    validated: Validated, entry: str, limit: float
) -> None:
    criterion = _criterion(validated, f"rank_params: {entry}")
    assert criterion.limit == limit
    assert criterion.arguments == {"expected": {4: 393_216, 8: 786_432}}


def test_an_argument_named_like_a_key_of_train_is_taken_from_there(validated: Validated) -> None:
    assert _criterion(validated, "loss_drop: 0.5", "train.steps=7").arguments["steps"] == 7
    given = "loss_drop: {limit: 0.5, with: {steps: 3}}"
    assert _criterion(validated, given, "train.steps=7").arguments["steps"] == 3


def test_a_waiver_has_a_reason_an_owner_and_an_end(validated: Validated) -> None:
    entry = "loss_drop: {limit: 0.5, waive: {reason: new head, owner: ada, until: 2026-12-31}}"
    assert _criterion(validated, entry).waive == Waiver(reason="new head", owner="ada", until=date(2026, 12, 31))


def test_a_list_becomes_the_tuple_that_the_check_returns(validated: Validated) -> None:
    assert _criterion(validated, "output_shape: [4, 5.0]").limit == (4, 5)


@pytest.mark.parametrize("check", ["loss_drop", "output_shape", "max_trainable_params"])
def test_a_skipped_criterion_needs_nothing_but_its_reason(validated: Validated, check: str) -> None:
    criterion = _criterion(validated, f"{check}: {{skip: later}}")
    assert (criterion.skip, criterion.limit) == ("later", None)


def test_an_integral_number_is_an_integer(validated: Validated) -> None:
    spec = validated("train: {steps: 1e1}\nchecks: {loss_drop: 1}")
    assert repr(spec.train.steps) == "10"
    assert repr(spec.criteria[0].limit) == "1.0"


def test_the_model_is_wrapped_as_written(validated: Validated) -> None:
    spec = validated(
        "checks: {loss_drop: 0.5}",
        "model.kwargs={num_classes: 5}",
        "model.lora={r: 4, target_modules: [qkv], modules_to_save: [head]}",
    )
    assert spec.model is not None
    assert spec.model.arguments == {"kwargs": {"num_classes": 5}}
    assert spec.model.lora == Lora(r=4, target_modules=["qkv"], modules_to_save=["head"])


def test_the_marks_are_found_by_dotted_path(validated: Validated) -> None:
    spec = validated("train:\n  lr: 1e-3\nchecks: {loss_drop: 0.5}", "train.steps=3")
    assert (spec.marks["train.lr"].line, spec.marks["train.lr"].column) == (4, 7)
    assert spec.marks["train.steps"] == Mark("--set train.steps=3", 1, 1)


def test_a_problem_of_an_override_points_at_it(validated: Validated) -> None:
    with pytest.raises(SpecError, match=r"^--set train.steps=many:1:1: train.steps: expected an integer"):
        validated("checks: {loss_drop: 0.5}", "train.steps=many")


def test_plugins_are_files_beside_the_spec_or_modules(validated: Validated, tmp_path: Path) -> None:
    spec = validated("plugins: [sub/my.py, package.module, /abs.py]\nchecks: {loss_drop: 0.5}")
    assert spec.plugins == (str(tmp_path / "sub/my.py"), "package.module", "/abs.py")


def test_a_broken_plugin_is_named_beside_what_it_may_have_offered(validated: Validated, catalog: Catalog) -> None:
    broken = replace(catalog, plugins=(Plugin("retina", "retina:plugin", error="ImportError: no lens"),))
    with pytest.raises(SpecError, match=r"unknown check 'vessels'; plugin 'retina' failed to load .* no lens"):
        validated("checks: {vessels: 1}", offered=broken)


def test_a_trailing_line_break_is_no_duration(validated: Validated) -> None:
    with pytest.raises(SpecError, match=r"run.timeout: the text '10m\\n' does not fit"):
        validated("run:\n  timeout: |\n    10m\nchecks: {loss_drop: 0.5}")


def test_what_only_the_conversion_can_refuse_has_its_place(validated: Validated, catalog: Catalog) -> None:
    """JSON Schema takes any text for a time."""

    @check(direction="at most", advice="Take newer data.")
    def age(samples: Any, *, since: datetime) -> float:
        return float(bool(samples) + since.year)

    dated = replace(catalog, checks={"age": age})
    assert validated("checks: {age: {limit: 1, with: {since: 2020-01-01T08:00:00}}}", offered=dated).criteria[
        0
    ].arguments == {
        "splits": (),
        "since": datetime(2020, 1, 1, 8),  # noqa: DTZ001 - as it is written
    }
    with pytest.raises(SpecError, match=r"yaml:3:15: checks.age: Invalid RFC3339 encoded datetime"):
        validated("checks: {age: {limit: 1, with: {since: yesterday}}}", offered=dated)


def test_a_hundred_problems_are_enough(catalog: Catalog, tmp_path: Path) -> None:
    """What is not looked at any more is not known to be whole: nothing is built of it."""
    path = tmp_path / "spec.yaml"
    path.write_text(
        "retspec: 1\nchecks:\n" + "".join(f"  c{n}: {{check: head_trainable, limit: x}}\n" for n in range(300))
    )
    with pytest.raises(SpecError) as refusal:
        validate(load(path), catalog)
    assert len(refusal.value.problems) == 101
    assert refusal.value.problems[-1].message == "more is wrong; these are 100 of the problems"


def test_a_long_word_is_not_repeated_in_full(catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(f"retspec: 1\nchecks:\n  ? {'k' * 90_000}\n  : {{chek: 1}}\nmodel: {{timm: x, kwargs: []}}\n")
    with pytest.raises(SpecError) as refusal:
        validate(load(path), catalog)
    assert all(len(problem.message) < 2_100 for problem in refusal.value.problems)


# The training config ----------------------------------------------------------------------------------------


def test_a_spec_carries_its_config(validated: Validated, tmp_path: Path) -> None:
    (tmp_path / "train.yaml").write_text("lr: 1e-4\n")
    spec = validated("config: train.yaml\ntrain: {lr: '${config.lr}'}\nchecks: {loss_drop: 0.5}\n")
    assert spec.config
    assert (spec.config.file, spec.config.data) == (str(tmp_path / "train.yaml"), {"lr": 0.0001})
    assert spec.train.lr == 0.0001
    assert validated("checks: {loss_drop: 0.5}\n").config is None


def test_a_check_of_the_config_needs_one(validated: Validated) -> None:
    offered = gather(entry_points=False)
    with pytest.raises(SpecError) as refusal:
        validated("checks:\n  config_paths: 0\n  output_dir_writable: {skip: later}\n", offered=offered)
    (problem,) = refusal.value.problems
    assert problem.mark.line == 4
    assert problem.message == (
        "config_paths reads the training config, and the spec names none; add `config: path.yaml`"
    )


@pytest.mark.parametrize(("text", "found"), [("", "nothing"), ("3", "3"), ("{a: 1}", "a mapping")])
def test_a_config_is_named_by_its_path(validated: Validated, text: str, found: str) -> None:
    with pytest.raises(SpecError) as refusal:
        validated(f"config: {text}\nname: '${{config.a}}'\nchecks: {{loss_drop: 0.5}}\n")
    (problem,) = refusal.value.problems
    assert problem.message.startswith("config: expected text")
    assert problem.message.endswith(f"found {found}")

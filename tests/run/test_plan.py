"""What will be measured for whom: each thing once, cheapest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from retspec.cli.plan import totals
from retspec.errors import NothingSelected, UsageError
from retspec.prepare import prepare
from retspec.records import Passes
from tests.run.tools import spec_in

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import MeasurementStep, Plan

HEAD = """\
model:
  timm: vit_tiny_patch16_224
  lora: {target_modules: [qkv], modules_to_save: [head]}
train: {steps: 20, lr: 1e-3, accumulation: 2}
"""

CHECKS = """\
loss_drop: 0.5
max_trainable_params: 100_000
merge_atol: {limit: 1e-5, tags: [slow, gpu]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def plan_of(folder: Path, checks: str = CHECKS, **options: Any) -> Plan:
    plan, _ = prepare(spec_in(folder, checks, HEAD), entry_points=False, **options)
    return plan


def steps(plan: Plan, name: str) -> list[MeasurementStep]:
    return [step for step in plan.measurements if step.name == name]


def ids(plan: Plan) -> list[str]:
    return [step.criterion.id for step in plan.checks]


def test_one_training_serves_every_criterion_that_asks_for_the_same(folder: Path) -> None:
    plan = plan_of(folder, "loss_drop: 0.5\nmax_loss_rise: 0.1\nnonfinite_steps: 0")
    (training,) = steps(plan, "training")
    assert set(training.criteria) == {"loss_drop", "max_loss_rise", "nonfinite_steps"}
    assert training.passes == Passes(forward=40, backward=40)
    assert plan.passes == training.passes


def test_other_arguments_make_another_training(folder: Path) -> None:
    plan = plan_of(folder, "loss_drop: 0.5\nshort: {check: loss_drop, limit: 0.2, with: {steps: 5}}")
    assert [(step.key, step.passes.forward) for step in steps(plan, "training")] == [
        ("training", 40),
        ("training(steps=5)", 10),
    ]
    assert [step.inputs["training"] for step in plan.checks] == ["training", "training(steps=5)"]


def test_an_argument_that_says_what_the_recipe_says_is_no_other(folder: Path) -> None:
    plan = plan_of(folder, "loss_drop: 0.5\nsame: {check: loss_drop, limit: 0.2, with: {steps: 20, lr: 1e-3}}")
    (training,) = steps(plan, "training")
    assert training.criteria == ("loss_drop", "same")


def test_an_argument_of_the_check_alone_does_not_split_its_measurements(folder: Path) -> None:
    plan = plan_of(
        folder,
        "max_loss_rise: 0.1\nstrictly: {check: max_loss_rise, limit: 0.1, with: {relative_to: previous}}",
    )
    assert len(steps(plan, "training")) == 1
    assert [dict(step.arguments) for step in plan.checks] == [{"relative_to": "first"}, {"relative_to": "previous"}]


def test_the_cheapest_comes_first_and_a_measurement_before_its_reader(folder: Path) -> None:
    plan = plan_of(folder, f"adapter_effect: 0.001\n{CHECKS}")
    assert ids(plan) == ["max_trainable_params", "merge_atol", "adapter_effect", "loss_drop"]
    assert [step.cost for step in plan.measurements] == ["static", "forward", "training", "training"]
    names = [step.name for step in plan.measurements]
    assert names.index("training") < names.index("effect")


def test_a_measurement_reached_on_two_ways_names_its_criterion_once(folder: Path) -> None:
    plugin = folder / "diamond.py"
    plugin.write_text(DIAMOND)
    (base,) = steps(plan_of(folder, "top: 1", plugins=[str(plugin)]), "bottom")
    assert base.criteria == ("top",)


def test_text_arguments_cannot_be_mistaken_for_one_another(folder: Path) -> None:
    plugin = folder / "diamond.py"
    plugin.write_text(DIAMOND)
    checks = """\
top: {limit: 1, with: {first: "a, second=b"}}
other: {check: top, limit: 1, with: {first: a, second: b}}
"""
    assert len(steps(plan_of(folder, checks, plugins=[str(plugin)]), "bottom")) == 2


DIAMOND = '''
from retspec.plugin import Cost, check, hookimpl, measurement

@measurement(cost=Cost.STATIC)
def bottom(*, first: str = "", second: str = "") -> int:
    """Give one."""
    return 1

@measurement(cost=Cost.STATIC)
def left(bottom) -> int:
    """Pass it on."""
    return bottom

@measurement(cost=Cost.STATIC)
def right(bottom) -> int:
    """Pass it on."""
    return bottom

@check(direction="at most", advice="Nothing to do.")
def top(left, right) -> int:
    """Is it one?"""
    return left * right

@hookimpl
def retspec_checks():
    return [top]

@hookimpl
def retspec_measurements():
    return [bottom, left, right]
'''


@pytest.mark.parametrize(
    ("checks", "needed"),
    [("max_trainable_params: 1000\nlora_layers: 12\noutput_shape: [4, 5]", False), ("merge_atol: 1e-5", True)],
)
def test_only_what_runs_the_model_needs_its_weights(folder: Path, checks: str, *, needed: bool) -> None:
    assert plan_of(folder, checks).needs_weights is needed


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({"select": ["drop"]}, ["loss_drop"]),
        ({"select": ["max_*", "l?ss_drop"]}, ["max_trainable_params", "loss_drop"]),
        ({"select": ["m*"], "skip": ["merge"]}, ["max_trainable_params"]),
        ({"tags": ["gpu", "slow"]}, ["merge_atol"]),
        ({"skip": ["*_*_*"]}, ["merge_atol", "loss_drop"]),
        ({"skip": ["no such criterion"]}, ["max_trainable_params", "merge_atol", "loss_drop"]),
    ],
)
def test_a_selection_leaves(folder: Path, options: dict[str, Any], left: list[str]) -> None:
    assert ids(plan_of(folder, **options)) == left


def test_what_is_not_selected_is_not_measured(folder: Path) -> None:
    assert [step.name for step in plan_of(folder, select=["params"]).measurements] == ["parameters"]


@pytest.mark.parametrize(
    "options",
    [{"select": ["zzz"]}, {"select": ["drop"], "tags": ["gpu"]}, {"skip": ["*"]}, {"select": ["drop", "zzz"]}],
)
def test_a_selection_of_nothing_is_never_a_success(folder: Path, options: dict[str, Any]) -> None:
    with pytest.raises(NothingSelected, match=r"^nothing selected.*loss_drop, max_trainable_params, merge_atol"):
        plan_of(folder, **options)


def test_a_pattern_that_finds_nothing_is_told_its_near_miss(folder: Path) -> None:
    with pytest.raises(NothingSelected, match="no criterion matches 'lossdrop'; did you mean 'loss_drop'"):
        plan_of(folder, select=["merge", "lossdrop"])


def test_an_unknown_tag_is_told_those_that_are_there(folder: Path) -> None:
    with pytest.raises(UsageError, match="no criterion has the tag 'cpu'; there are gpu, slow"):
        plan_of(folder, tags=["gpu", "cpu"])


def test_a_criterion_that_the_spec_skips_costs_nothing(folder: Path) -> None:
    plan = plan_of(folder, 'loss_drop: {limit: 0.5, skip: "no GPU here"}\nlora_layers: 12')
    assert [criterion.skip for criterion in plan.skipped] == ["no GPU here"]
    assert [step.name for step in plan.measurements] == ["parameters"]
    assert plan.passes == Passes()


def test_a_restricted_plan_measures_only_what_the_rest_waits_for(folder: Path) -> None:
    rest = plan_of(folder).restricted_to(["merge_atol"])
    assert [step.name for step in rest.measurements] == ["merging"]
    assert ids(rest) == ["merge_atol"]


def test_a_training_of_the_users_own_is_counted_in_its_steps_and_what_retspec_does_beside_it_in_passes(
    tmp_path: Path,
) -> None:
    (tmp_path / "train.py").touch()
    checks = "loss_drop: 0.1\nmax_data_wait: 0.5\nstale_gradients: 0\nscript_determinism: 0\neval_determinism_atol: 0\n"
    plan, _ = prepare(spec_in(tmp_path, checks, "train: {script: train.py, steps: 7}\n"), entry_points=False)
    passes = {step.name: step.passes for step in plan.measurements}
    assert passes["training"] == passes["data_wait"] == passes["loop"] == Passes()
    assert passes["second_run"] == Passes(steps=14)
    assert plan.passes == Passes(forward=2, steps=14)
    assert plan.watched_steps == 7
    assert totals(plan).endswith(
        ": 2 forward passes and 0 backward; your training is watched for 7 optimizer steps, and "
        "runs again for at least 14"
    )


def test_what_reads_no_training_watches_none(tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    (tmp_path / "train.yaml").write_text("lr: 1\n")
    spec = spec_in(tmp_path, "config_paths: 0\n", "config: train.yaml\ntrain: {script: train.py, steps: 7}\n")
    plan, _ = prepare(spec, entry_points=False)
    assert plan.watched_steps == 0
    assert totals(plan).endswith("; no weights are made")


def test_predictions_that_are_made_take_a_pass_per_batch(tmp_path: Path) -> None:
    data = "model: {timm: test_resnet}\ndata: {imagefolder: {root: images}}\n"
    made = "predictions: {make: {train: train.csv, test: test.csv}, split: test}\n"
    plan, _ = prepare(spec_in(tmp_path, "predictions_complete: 0\n", data + made), entry_points=False)
    assert plan.predicted == ("train", "test")
    assert ": 0 forward passes plus one per batch of train and test, and 0 backward; " in totals(plan)


def test_predictions_that_are_read_take_none(tmp_path: Path) -> None:
    read = "predictions: {csv: test.csv, id: image, label: grade, scores: [p0, p1]}\n"
    plan, _ = prepare(spec_in(tmp_path, "predictions_complete: 0\n", read), entry_points=False)
    assert plan.predicted == ()
    assert ": 0 forward passes and 0 backward; " in totals(plan)

"""The plan keeps its word: the model is built once and runs exactly as often as the plan says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from retspec.prepare import prepare
from retspec.records import Passes, Report, Verdict
from retspec.running import run_all
from tests.here import run_here
from tests.run.tools import spec_in, verdicts
from tests.warm import forked_programs

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import Plan, Result

HEAD = """\
model:
  factory: "tests.run.counted:build"
  kwargs: {log: LOG}
  lora: {r: 2, target_modules: [body], modules_to_save: [head]}
data: {synthetic: {input_size: [3, 8, 8]}}
train: {steps: 4, accumulation: 2, batch_size: 6, lr: 1e-2}
run: {device: cpu}
"""

EVERYTHING = """\
loss_drop: 0.01
max_loss_rise: 9
dead_gradients: 0
frozen_drift: 0
step_time_ms: {limit: 1e6, with: {steps: 7}}
short: {check: loss_drop, limit: 0.001, with: {steps: 3}}
merge_atol: 1e-3
unmerge_atol: 1e-3
adapter_effect: 1e-9
max_trainable_params: 1000
trainable_names: [lora_, head]
lora_layers: 1
head_trainable: true
rank_params: {2: 416, 4: 832}
output_shape: [6, 3]
"""

STATIC = EVERYTHING[EVERYTHING.index("max_trainable_params") :]


@dataclass(frozen=True)
class Counts:
    """What a run made of a spec, what its plan had said, and what the model wrote down."""

    report: Report
    planned: Passes
    lines: Counter[str]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[Counts]:
    """Two subjects, as each has its own log: one worker measures them one after the other, with nothing to share."""
    folders = [tmp_path_factory.mktemp(name) for name in ("everything", "static")]
    logs = [folder / "log.txt" for folder in folders]
    specs = [
        spec_in(folder, checks, HEAD.replace("LOG", str(log)))
        for folder, log, checks in zip(folders, logs, (EVERYTHING, STATIC), strict=True)
    ]
    plans = [prepare(spec, entry_points=False)[0] for spec in specs]
    with forked_programs():
        reports = run_all(specs, reports=[{}, {}], entry_points=False)
    return [
        Counts(report, plan.passes, Counter(log.read_text().splitlines()))
        for report, plan, log in zip(reports, plans, logs, strict=True)
    ]


@pytest.fixture
def everything(both: list[Counts]) -> Counts:
    return both[0]


@pytest.fixture
def static(both: list[Counts]) -> Counts:
    return both[1]


def test_every_criterion_got_its_verdict(everything: Counts, static: Counts) -> None:
    undecided = {result.criterion.id: result.reason for result in everything.report.undecided}
    assert undecided.keys() <= {"step_time_ms"}, undecided  # a busy machine may blur a timing
    assert everything.report.faults == ()
    assert (static.report.exit_code, static.report.undecided) == (0, [])


def test_the_model_runs_exactly_as_often_as_the_plan_says(everything: Counts) -> None:
    ran = Passes(forward=everything.lines["forward Tensor"], backward=everything.lines["backward Tensor"])
    assert ran == everything.planned


def test_a_training_that_may_end_early_runs_within_its_plan(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    head = HEAD.replace("LOG", str(log)).replace("steps: 4", "steps: 40, stop_at_drop: 0.1, min_steps: 3")
    spec = spec_in(tmp_path, "loss_drop: 0.1\nmerge_atol: 1e-3", head)
    plan, _ = prepare(spec, entry_points=False)
    results = run_here(spec)
    assert {result.verdict.value for result in results.values()} == {"met"}
    taken = results["loss_drop"].observed.details["steps"]  # type: ignore[union-attr]
    assert 3 <= taken < 40
    ran = Counter(log.read_text().splitlines())
    assert ran["backward Tensor"] == 2 * taken
    assert plan.fewest_passes.backward == 6 <= ran["backward Tensor"] < 80 == plan.passes.backward
    assert plan.fewest_passes.forward == 9 <= ran["forward Tensor"] == 2 * taken + 3 < plan.passes.forward == 83


def test_the_plan_counts_each_distinct_training_once(everything: Counts) -> None:
    trainings = (4 + 7 + 3 + 2) * 2  # steps, in two micro-batches; the last two are profiled
    assert everything.planned == Passes(forward=trainings + 4 + 2, backward=trainings)  # merging, effect


REPEATED = "determinism_atol: 0\nloss_drop: -9"


def passes_of(
    folder: Path, checks: str, *, change: tuple[str, str] = ("", "")
) -> tuple[Plan, Passes, dict[str, Result]]:
    """Return the plan of a spec, the passes that its run took, and its results."""
    folder.mkdir()
    log = folder / "log.txt"
    head = HEAD.replace(*change).replace("LOG", str(log))
    spec = spec_in(folder, checks, head)
    plan, _ = prepare(spec, entry_points=False)
    results = run_here(spec)
    lines = Counter(log.read_text().splitlines())
    return plan, Passes(forward=lines["forward Tensor"], backward=lines["backward Tensor"]), results


DROPS = ("r: 2,", "r: 2, dropout: 0.2,")
KEPT = (HEAD, HEAD.replace(*DROPS).replace("steps: 4", "steps: 4, dropout: keep"))


@pytest.mark.parametrize("change", [("", ""), KEPT], ids=["no dropout", "kept dropout"])
def test_the_first_steps_of_the_training_are_one_of_two_that_repeat_it(tmp_path: Path, change: tuple[str, str]) -> None:
    plan, ran, results = passes_of(tmp_path / "both", REPEATED, change=change)
    assert ran == plan.fewest_passes == Passes(forward=(4 + 3) * 2, backward=(4 + 3) * 2)
    assert plan.passes == Passes(forward=(4 + 9) * 2, backward=(4 + 9) * 2)
    alone, ran_alone, alone_results = passes_of(tmp_path / "alone", "determinism_atol: 0", change=change)
    assert ran_alone == alone.passes == alone.fewest_passes == Passes(forward=6 * 2, backward=6 * 2)
    assert results["determinism_atol"].observed == alone_results["determinism_atol"].observed
    assert [each.verdict for each in results.values()] == [Verdict.MET] * 2


@pytest.mark.parametrize(
    ("checks", "change"),
    [
        ("determinism_atol: {limit: 0, with: {repeated_steps: 2}}\nloss_drop: -9", ("", "")),
        (REPEATED, DROPS),
        ("determinism_atol: 0\nshort: {check: loss_drop, limit: -9, with: {steps: 3}}", ("", "")),
        (REPEATED, ("steps: 4", "steps: 2")),
    ],
    ids=["other steps", "without dropout", "another training", "too short"],
)
def test_what_begins_otherwise_is_repeated_twice(tmp_path: Path, checks: str, change: tuple[str, str]) -> None:
    plan, ran, results = passes_of(tmp_path / "spec", checks, change=change)
    repeated = 2 * plan.measurements[-1].arguments["repeated_steps"]
    trained = next(step.passes for step in plan.measurements if step.name == "training")
    assert ran == trained + Passes(forward=2 * repeated, backward=2 * repeated)
    assert results["determinism_atol"].verdict is Verdict.MET


def test_what_does_not_come_again_is_measured_as_before(tmp_path: Path) -> None:
    factory = ("tests.run.counted:build", "tests.run.counted:build_noisy")
    plan, ran, results = passes_of(tmp_path / "both", REPEATED, change=factory)
    attempt = Passes(forward=2, backward=2)  # it ends at the first loss that differs
    assert ran == Passes(forward=(4 + 6) * 2, backward=(4 + 6) * 2) + attempt
    assert plan.fewest_passes.backward < ran.backward < plan.passes.backward
    assert results["determinism_atol"].verdict is Verdict.MISSED


WHOLE = ("steps: 4, accumulation: 2", "steps: 4")
"""A step of one micro-batch, whose gradient is that of the whole batch."""
ACCUMULATED = "grad_accumulation_rtol: 1e-5\nloss_drop: -9"


def test_the_gradient_of_the_whole_batch_is_one_of_the_training(tmp_path: Path) -> None:
    plan, ran, results = passes_of(tmp_path / "both", ACCUMULATED, change=WHOLE)
    assert ran == plan.fewest_passes == Passes(forward=4 + 3, backward=4 + 3)
    assert plan.passes == Passes(forward=4 + 3 + 5, backward=4 + 3 + 5)
    assert [each.verdict for each in results.values()] == [Verdict.MET] * 2
    alone, ran_alone, _ = passes_of(tmp_path / "alone", "grad_accumulation_rtol: 1e-5", change=WHOLE)
    assert ran_alone == alone.fewest_passes == Passes(forward=4, backward=4)
    assert alone.passes == Passes(forward=5, backward=5)


@pytest.mark.parametrize(
    "change",
    [
        (HEAD, HEAD.replace(*WHOLE).replace(*DROPS).replace("steps: 4", "steps: 4, dropout: keep")),
        (WHOLE[0], "steps: 2"),
        (HEAD, HEAD.replace(*WHOLE).replace("lr: 1e-2", "lr: 0")),
        (HEAD, HEAD.replace(*WHOLE).replace("  lora: {r: 2, target_modules: [body], modules_to_save: [head]}\n", "")),
    ],
    ids=["kept dropout", "too short", "factors are zero still", "no adapter"],
)
def test_a_gradient_that_says_less_is_computed_again(tmp_path: Path, change: tuple[str, str]) -> None:
    plan, ran, results = passes_of(tmp_path / "spec", ACCUMULATED, change=change)
    trained = next(step.passes for step in plan.measurements if step.name == "training")
    assert ran == trained + Passes(forward=4, backward=4)
    assert results["grad_accumulation_rtol"].verdict is Verdict.MET


def test_a_step_of_micro_batches_gives_no_gradient_of_the_whole_batch(tmp_path: Path) -> None:
    plan, ran, results = passes_of(tmp_path / "spec", ACCUMULATED)
    assert ran == plan.fewest_passes == Passes(forward=4 * 2 + 4, backward=4 * 2 + 4)
    assert results["grad_accumulation_rtol"].verdict is Verdict.MET


def test_a_gradient_that_disagrees_is_computed_again(tmp_path: Path) -> None:
    """What is missed is always told by both gradients of the measurement itself."""
    factory = ("tests.run.counted:build", "tests.run.counted:build_noisy")
    change = (HEAD, HEAD.replace(*WHOLE).replace(*factory))
    _, ran, results = passes_of(tmp_path / "both", ACCUMULATED, change=change)
    assert ran == Passes(forward=4 + 3 + 5, backward=4 + 3 + 5)
    assert results["grad_accumulation_rtol"].verdict is Verdict.INCONCLUSIVE


def test_a_training_that_spoils_its_model_is_no_beginning(tmp_path: Path) -> None:
    """The model that comes after it is built again, and would repeat what the first one did only once."""
    factory = ("tests.run.counted:build", "tests.run.counted:build_wearing")
    _, _, results = passes_of(tmp_path / "both", REPEATED, change=factory)
    _, _, alone = passes_of(tmp_path / "alone", "determinism_atol: 0", change=factory)
    assert results["determinism_atol"].verdict is Verdict.MISSED
    assert results["determinism_atol"].observed == alone["determinism_atol"].observed


def test_a_model_that_runs_is_built_once(everything: Counts) -> None:
    built = {line: count for line, count in everything.lines.items() if line.startswith("built")}
    assert built == {"built on cpu": 1}


def test_criteria_about_architecture_make_no_weights_and_run_nothing(static: Counts) -> None:
    assert {line: count for line, count in static.lines.items() if line.startswith("built")} == {"built on meta": 1}
    assert static.planned == Passes()
    assert static.lines["forward Tensor"] == static.lines["backward Tensor"] == 0


def test_counting_without_weights_gives_the_same_numbers(everything: Counts, static: Counts) -> None:
    observed = {result.criterion.id: result.observed for result in everything.report.results}
    shared = {result.criterion.id: result.observed for result in static.report.results}
    assert shared == {name: observed[name] for name in verdicts(static.report)}


def test_each_measurement_is_reported_once_with_its_facts_and_its_time(everything: Counts) -> None:
    measured = {entry.key: entry for entry in everything.report.measurements}
    assert len(measured) == len(everything.report.measurements)
    assert len(measured["training"].facts["losses"]) == 4
    assert len(measured["training(steps=3)"].facts["losses"]) == 3
    assert "tensors" not in measured["training"].facts  # no report can hold them
    assert measured["training"].seconds > 0


def test_the_report_tells_where_it_was_measured(everything: Counts) -> None:
    assert everything.report.provenance.device == "cpu"
    assert (everything.report.provenance.threads or 0) >= 1

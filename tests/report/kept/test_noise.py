"""A margin that is smaller than what earlier runs of the same subject varied by is pointed out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from retspec.records import Direction, Flips, Observed, Outcome, Proof, Report, Spread
from retspec.report.kept import Run
from retspec.report.kept.noise import within_noise_of
from tests.report.formats.sample import criterion
from tests.review.recorded import plan_of, run_of

LINE = (
    "loss_drop: its margin 0.01 is within its noise 0.04 (3 runs): the verdict may flip; "
    "calibrate its limit (`retspec calibrate --seeds`), or raise the steps that it is measured over"
)


def report(value: float = 0.51, *, seeds: tuple[float, ...] = (), **changes: object) -> Report:
    held = criterion("loss_drop", **{"limit": 0.5, **changes})
    by_seed = {42 + number: Outcome(id="loss_drop", observed=Observed(each)) for number, each in enumerate(seeds)}
    outcome = Outcome(id="loss_drop", by_seed=by_seed) if seeds else Outcome(id="loss_drop", observed=Observed(value))
    return run_of(plan_of(held), [outcome])


def line(found: Report) -> Run:
    return Run.of(found, "a.yaml")


def remarks(runs: list[Run], now: Report | None = None) -> list[str]:
    now = now or report()
    return [*within_noise_of(runs, line(now), now)]


def test_three_values_of_the_same_subject_are_enough() -> None:
    runs = [line(report(value)) for value in (0.53, 0.55)]
    assert remarks(runs) == [LINE]
    assert remarks(runs[1:]) == []
    assert remarks(runs, report(0.7)) == []


def test_a_run_under_several_seeds_says_more_than_others() -> None:
    runs = [line(report(seeds=(0.55, 0.6, 0.65))), *(line(report(0.51)) for _ in range(3))]
    assert [each.partition(":")[2] for each in remarks(runs)] == [
        LINE.partition(":")[2].replace("0.04 (3 runs)", "0.1 (3 seeds of an earlier run)")
    ]


@pytest.mark.parametrize(
    "other",
    [
        lambda run: replace(run, subjects={"": "another"}),
        lambda run: replace(run, device="cuda"),
        lambda run: replace(run, criteria={"loss_drop": replace(run.criteria["loss_drop"], asks="")}),
        lambda run: replace(run, criteria={"loss_drop": replace(run.criteria["loss_drop"], seeds=5)}),
        lambda run: replace(run, criteria={}),
    ],
)
def test_runs_of_something_else_say_nothing(other: object) -> None:
    assert callable(other)
    assert remarks([other(line(report(value))) for value in (0.53, 0.55)]) == []


def test_other_arguments_are_another_measurement_and_another_limit_is_not() -> None:
    runs = [line(report(value)) for value in (0.53, 0.55)]
    assert remarks(runs, report(arguments={"steps": 5})) == []
    assert len(remarks([line(report(value, limit=0.4)) for value in (0.53, 0.55)])) == 1


def test_exact_values_have_no_margin() -> None:
    runs = [line(report(value, direction=Direction.EQUAL)) for value in (0.53, 0.55)]
    assert remarks(runs, report(direction=Direction.EQUAL)) == []


def test_what_the_report_says_by_itself_is_not_said_again() -> None:
    spread = Spread(runs=20, least=0.5, median=0.53, greatest=0.57, deviation=0.02)
    proof = Proof(
        name="a",
        file="a.yaml",
        spec_sha256="5e" * 32,
        criteria=(),
        flips=Flips(runs=20, flipped=0, observed={"loss_drop": spread}, device="cpu"),
    )
    runs = [line(report(value)) for value in (0.53, 0.55)]
    assert remarks(runs, replace(report(), proof=proof)) == []
    assert remarks(runs, replace(report(), proof=replace(proof, flips=None))) == [LINE]


def test_seeds_of_this_run_say_it_themselves() -> None:
    runs = [line(report(value)) for value in (0.53, 0.55)]
    assert remarks(runs, report(seeds=(0.51, 0.55, 0.6))) == []

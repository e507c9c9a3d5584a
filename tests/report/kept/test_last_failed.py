"""What was met the last time that it had its turn does not run again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retspec.records import Observed, Outcome, Verdict
from retspec.report.kept import Run
from retspec.report.kept.last_failed import without_met
from tests.report.formats.sample import criterion
from tests.review.recorded import plan_of, run_of

if TYPE_CHECKING:
    from retspec.records import Plan

MET, MISSED = 0.7, 0.1


def _plan(cell: str = "") -> Plan:
    return plan_of(*(criterion(name, cell=cell) for name in ("first", "second")), cell=cell)


def _run(plan: Plan, first: float, second: float) -> Run:
    values = {"first": first, "second": second}
    outcomes = [Outcome(id=name, observed=Observed(value)) for name, value in values.items()]
    return Run.of(run_of(plan, outcomes), "a.yaml")


def _ids(plans: list[Plan]) -> list[list[str]]:
    return [[step.criterion.name for step in plan.checks] for plan in plans]


def test_a_criterion_counts_by_its_last_turn() -> None:
    plan = _plan()
    runs = [_run(plan, MISSED, MISSED), _run(plan, MET, MISSED)]
    assert _ids(without_met([plan], runs)[0]) == [["second"]]
    interrupted = {name: replace(seen, verdict=Verdict.NOT_RUN) for name, seen in runs[1].criteria.items()}
    runs.append(replace(runs[1], criteria=interrupted))
    assert _ids(without_met([plan], runs)[0]) == [["second"]]
    runs.append(_run(plan, MISSED, MET))
    assert _ids(without_met([plan], runs)[0]) == [["first"]]


def test_what_no_run_knows_runs() -> None:
    run = _run(_plan(), MET, MET)
    del run.criteria["second"]
    assert _ids(without_met([_plan()], [run])[0]) == [["second"]]


def test_a_cell_in_which_all_is_met_is_not_selected() -> None:
    plans = [_plan("r=4"), _plan("r=8")]
    runs = [_run(plans[0], MET, MET), _run(plans[1], MET, MISSED)]
    chosen, remarks = without_met(plans, runs)
    assert (_ids(chosen), remarks) == ([["second[r=8]"]], [])
    assert [plan.spec.unselected_cells for plan in chosen] == [1]


def test_without_a_failure_or_a_run_everything_is_measured_and_that_is_said() -> None:
    plan = _plan()
    for runs, why in (([], "there are no earlier results"), ([_run(plan, MET, MET)], "nothing failed last time")):
        chosen, (remark,) = without_met([plan], runs)
        assert chosen == [plan]
        assert why in remark

"""A fault of predictions beside others, of values, labels or masks turns the criteria red that exist for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from retspec.prepare import prepare
from retspec.records import Outcome, Verdict
from retspec.review.recorded import judge_again
from tests.checks.planting import criteria
from tests.here import run_here
from tests.predictions.compared import COMPARED, FAULTS, LABELS, MASKS, REGRESSION, Fault
from tests.predictions.planting import FOLDER
from tests.review.recorded import read_back, run_of

if TYPE_CHECKING:
    from pathlib import Path

SPECS = (COMPARED, REGRESSION, LABELS, MASKS)


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_every_criterion_comes_out_as_the_table_states(fault: Fault) -> None:
    results = run_here(fault.spec, fault.overrides(os.environ[FOLDER]))
    reasons = {name: result.reason for name, result in results.items()}
    missed = {name for name, result in results.items() if result.verdict is Verdict.MISSED}
    undecided = {name for name, result in results.items() if not result.verdict.is_decided}
    assert missed == {*fault.missed.split()}, reasons
    assert undecided == {*fault.undecided.split()}, reasons


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("spec", SPECS, ids=[spec.stem for spec in SPECS])
def test_healthy_predictions_are_met_whole(spec: Path) -> None:
    results = run_here(spec)
    assert {result.verdict for result in results.values()} == {Verdict.MET}, [r.reason for r in results.values()]


@pytest.mark.parametrize("spec", SPECS, ids=[spec.stem for spec in SPECS])
def test_every_criterion_is_missed_under_some_fault(spec: Path) -> None:
    missed = {name for fault in FAULTS if fault.spec == spec for name in fault.missed.split()}
    assert {*criteria(spec)} - missed == set()


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(("limit", "judged", "verdict"), [
    (-0.02, "bound", Verdict.MET), (0.01, "bound", Verdict.MISSED), (-0.0005, "bound", Verdict.INCONCLUSIVE),
    (-0.0005, "point", Verdict.MET),
])  # fmt: skip
def test_recorded_differences_are_judged_under_another_margin(limit: float, judged: str, verdict: Verdict) -> None:
    named = ["non_inferiority"]
    plan, _ = prepare(COMPARED, select=named, entry_points=False)
    observed = {name: result.observed for name, result in run_here(COMPARED, select=named).items()}
    recorded = read_back(run_of(plan, [Outcome(id=name, observed=each) for name, each in observed.items()]))
    overrides = [f"checks.non_inferiority.limit={limit}", f"checks.non_inferiority.judge={judged}"]
    again, _ = prepare(COMPARED, select=named, overrides=overrides, entry_points=False)
    (result,) = judge_again([again], recorded).results
    assert result.verdict is verdict, result.reason

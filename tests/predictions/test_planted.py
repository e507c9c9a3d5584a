"""A fault of predictions turns the criteria red that exist for it, and no other: the table is in `planting.py`."""

from __future__ import annotations

import os

import pytest

from retspec.records import Verdict
from tests.checks.planting import criteria
from tests.here import run_here
from tests.predictions.planting import FAULTS, FOLDER, HEALTHY, Fault


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_every_criterion_comes_out_as_the_table_states(fault: Fault) -> None:
    results = run_here(HEALTHY, [f'predictions.csv="{os.environ[FOLDER]}/{fault.file}"'])
    reasons = {name: result.reason for name, result in results.items()}
    missed = {name for name, result in results.items() if result.verdict is Verdict.MISSED}
    undecided = {name for name, result in results.items() if not result.verdict.is_decided}
    assert missed == {*fault.missed.split()}, reasons
    assert undecided == {*fault.undecided.split()}, reasons


def test_every_criterion_is_missed_under_some_fault() -> None:
    missed = {name for fault in FAULTS for name in fault.missed.split()}
    assert {*criteria(HEALTHY)} - missed == set()

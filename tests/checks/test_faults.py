"""A planted fault turns the criteria red that exist for it, and no other: the table is in `faults.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from retspec.catalog import gather
from retspec.records import Verdict
from tests.checks.faults import FAULTS, Fault
from tests.checks.matrix import PAGE, render
from tests.here import run_here

FULL = Path(__file__).parent.parent / "cases" / "preflight" / "full.yaml"
PREFLIGHT = FULL.with_name("lora.yaml")


@pytest.mark.no_cover  # the cases cover the same lines; tracing torch and its compiler costs a third more time
@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_planted_fault_turns_its_own_criteria_red(fault: Fault) -> None:
    results = run_here(FULL, fault.overrides)
    missed = {name for name, result in results.items() if result.verdict is Verdict.MISSED}
    assert missed == fault.red, {name: results[name].reason for name in missed ^ fault.red}


def test_what_is_named_red_is_a_check() -> None:
    assert frozenset.union(*(fault.red for fault in FAULTS)) <= set(gather(entry_points=False).checks)


def test_healthy_preflight_is_met_whole() -> None:
    assert {result.verdict for result in run_here(PREFLIGHT).values()} == {Verdict.MET}


def test_page_is_fresh() -> None:
    assert PAGE.read_text() == render(), "refresh it with: python -m tests.checks.matrix"

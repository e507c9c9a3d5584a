"""A planted fault turns the criteria red that exist for it, and no other: the table is in `faults.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retspec.plugins.catalog import gather
from retspec.records import Result, Verdict
from tests.checks.faults import FAULTS
from tests.checks.matrix import PAGE, render
from tests.checks.planting import PREFLIGHT, SPECS, Cell, Fault, criteria
from tests.here import run_here

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MARGIN = 0.15
"""Nearer to its limit, relative to it, an observation could fall on the other side on another processor."""
CELLS = {Verdict.MET: Cell.MET, Verdict.MISSED: Cell.MISSED}


@pytest.mark.no_cover  # the cases cover the same lines; tracing torch and its compiler costs a third more time
@pytest.mark.usefixtures("checkpoints")
@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_every_criterion_comes_out_as_the_grid_states(fault: Fault) -> None:
    results = run_here(fault.spec, fault.settings)
    cells = {name: CELLS.get(result.verdict, Cell.UNDECIDED) for name, result in results.items()}
    stated = {name: cell for name, cell in fault.cells.items() if cell is not Cell.SKIPPED}
    assert cells == stated, {name: results[name].reason for name in cells if cells[name] != stated.get(name)}
    assert near_its_limit(results) == {}


def near_its_limit(results: Mapping[str, Result]) -> dict[str, object]:
    """Return what was observed within the margin of its limit; counts and shapes are exact, and a limit of 0 too."""
    checks = gather(entry_points=False).checks
    return {
        name: result.observed.value
        for name, result in results.items()
        if checks[name].family in {"learning", "numerics"}
        and result.observed is not None
        and isinstance(result.observed.value, int | float)
        and isinstance(limit := result.criterion.limit, int | float)
        and abs(result.observed.value - limit) < MARGIN * abs(limit)
    }


@pytest.mark.parametrize("spec", SPECS, ids=[spec.stem for spec in SPECS])
def test_every_criterion_is_missed_under_some_fault(spec: Path) -> None:
    missed = frozenset.union(*(fault.missed for fault in FAULTS if fault.spec == spec))
    assert set(criteria(spec)) - missed == set()


def test_what_the_table_names_is_a_criterion() -> None:
    for fault in FAULTS:
        assert fault.missed | fault.undecided | fault.skipped <= set(criteria(fault.spec)), fault.name
        assert fault.missed.isdisjoint(fault.undecided | fault.skipped), fault.name


def test_healthy_preflight_is_met_whole() -> None:
    assert {result.verdict for result in run_here(PREFLIGHT / "lora.yaml").values()} == {Verdict.MET}


def test_page_is_fresh() -> None:
    assert PAGE.read_text() == render(), "refresh it with: python -m tests.checks.matrix"

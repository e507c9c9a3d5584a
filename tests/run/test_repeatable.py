"""The same spec gives the same observations, bit by bit, on one machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from retspec.plugins.catalog import gather
from retspec.running import run
from tests.here import run_here

if TYPE_CHECKING:
    from retspec.records import Report

FULL = Path(__file__).parent.parent / "cases" / "preflight" / "full.yaml"

MEASURES_TIME = {"step_time_ms", "min_throughput", "min_compile_speedup"}
"""The checks whose observation is a property of the moment; all others are functions of spec, seed and machine."""
NEEDS_MORE = {"amp_skipped_steps", "loaded_adapter_effect"}
"""Deterministic as well, but without a loss scaler, or an adapter that was trained before, there is nothing to say."""


@pytest.fixture(scope="module")
def reports() -> list[Report]:
    return [run(FULL, overrides=["run.threads=1"], entry_points=False) for _ in range(2)]


def observations(report: Report) -> dict[str, Any]:
    """Observed values and details, but for the resident set of the process, which is told and never judged."""
    found = {}
    for result in report.results:
        details = dict(result.observed.details) if result.observed else {}
        details.pop("resident set MB", None)
        found[result.criterion.id] = (result.observed.value if result.observed else None, details)
    return found


def test_two_runs_observe_the_same(reports: list[Report]) -> None:
    first, second = map(observations, reports)
    assert first == second
    assert not [name for name, (value, _) in first.items() if value is None]


FAMILIES_ELSEWHERE = {
    *("checkpoint", "config", "data", "distributed", "loaders"),
    *("loop", "memory", "predictions", "runtime"),
}


def test_every_deterministic_check_is_among_them(reports: list[Report]) -> None:
    checks = gather(entry_points=False).checks
    elsewhere = {
        name
        for name, check in checks.items()
        if check.family
        in {"checkpoint", "config", "data", "distributed", "loaders", "loop", "memory", "predictions", "runtime"}
    }
    assert set(observations(reports[0])) == set(checks) - MEASURES_TIME - NEEDS_MORE - elsewhere


def test_a_run_observes_what_another_process_does(reports: list[Report]) -> None:
    here, there = run_here(FULL, ["run.threads=1"]), observations(reports[0])
    assert {name: result.observed.value for name, result in here.items() if result.observed} == {
        name: value for name, (value, _) in there.items()
    }


def test_the_number_of_threads_is_pinned_and_recorded(reports: list[Report]) -> None:
    assert [report.provenance.threads for report in reports] == [1, 1]

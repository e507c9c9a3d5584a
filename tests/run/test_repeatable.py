"""The same spec gives the same observations, bit by bit, on one machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from retspec.catalog import gather
from retspec.run import run
from tests.here import run_here

if TYPE_CHECKING:
    from retspec.records import Report

PREFLIGHT = Path(__file__).parent.parent / "cases" / "preflight" / "lora.yaml"

MEASURES_TIME = {"step_time_ms", "min_throughput", "min_compile_speedup"}
"""The checks whose observation is a property of the moment; all others are functions of spec, seed and machine."""


@pytest.fixture(scope="module")
def reports() -> list[Report]:
    overrides = ["run.threads=1", *(f"checks.{name}={limit}" for name, limit in every_check().items())]
    return [run(PREFLIGHT, overrides=overrides, entry_points=False) for _ in range(2)]


def every_check() -> dict[str, str]:
    """A limit for each deterministic check that the preflight does not ask for: any will do."""
    asked = PREFLIGHT.read_text()
    given = {"rank_params": "{2: 768}", "attention_shape": "[6, 2, 17, 17]", "input_divisible_by_patch": "true"}
    given |= {"trainable_dtype": "float32", "peak_memory_mb": "{limit: 1, with: {iterations: 2}}"}
    given |= {
        "memory_growth_mb": "{limit: 1, with: {iterations: 2}}",
        "amp_skipped_steps": "{skip: needs a loss scaler}",
    }
    names = set(gather(entry_points=False).checks) - MEASURES_TIME
    return {name: given.get(name, "1") for name in sorted(names) if f"  {name}:" not in asked}


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
    assert [name for name, (value, _) in first.items() if value is None] == ["amp_skipped_steps"]
    assert set(first) == set(gather(entry_points=False).checks) - MEASURES_TIME


def test_a_run_observes_what_another_process_does(reports: list[Report]) -> None:
    here = {name: result.observed for name, result in run_here(PREFLIGHT, ["run.threads=1"]).items()}
    there = observations(reports[0])
    assert here == {name: there[name] for name in here}


def test_the_number_of_threads_is_pinned_and_recorded(reports: list[Report]) -> None:
    assert [report.provenance.threads for report in reports] == [1, 1]

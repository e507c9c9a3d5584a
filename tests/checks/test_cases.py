"""Every check against planted faults and healthy models: a case is a spec whose file name states the verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from retspec.plugins.catalog import gather
from tests.here import run_here

MEASURES_TIME = {
    *("step_time_ms", "min_throughput", "min_compile_speedup"),
    *("min_loader_throughput", "max_data_wait", "max_augmentation_overhead", "max_transform_ms"),
}
"""Judged on recorded facts in `test_timing.py`: a test that waits for a clock fails on a busy machine."""

CASES = Path(__file__).parent.parent / "cases" / "checks"
FILES = sorted(CASES.glob("*/*.yaml"))


@pytest.mark.usefixtures("checkpoints", "images", "predictions", "warm_programs")
@pytest.mark.parametrize("case", FILES, ids=[f"{file.parent.name}/{file.stem}" for file in FILES])
def test_verdict_and_reason_are_what_the_case_states(case: Path) -> None:
    expected, _, _why = case.stem.partition("-")
    says = case.read_text().partition("\n")[0].removeprefix("# says: ")
    (result,) = run_here(case).values()
    assert result.criterion.check == case.parent.name
    assert (result.verdict.value, says in result.reason) == (expected, True), f"{result.reason}\n{result.trace}"


def test_every_check_is_met_by_a_healthy_model_and_missed_for_its_fault() -> None:
    verdicts = {
        check: {file.stem.partition("-")[0] for file in (CASES / check).glob("*.yaml")}
        for check in names()
        if check not in MEASURES_TIME
    }
    lacking = {check: {"met", "missed"} - found for check, found in verdicts.items() if not {"met", "missed"} <= found}
    assert lacking == {}


def names() -> list[str]:
    return list(gather(entry_points=False).checks)

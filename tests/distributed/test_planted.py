"""Two ranks in earnest: each fault turns its own criteria red and no other, and what is healthy raises no alarm."""

from __future__ import annotations

import pytest

from retspec.plugins.catalog import gather
from retspec.records import Verdict
from tests.distributed.planting import DEATHS, FAULTS, HEALTHY, SPEC, Planted
from tests.here import run_here


@pytest.mark.usefixtures("warm_programs")
@pytest.mark.parametrize("planted", [*HEALTHY, *FAULTS, *DEATHS], ids=lambda planted: planted.name)
def test_a_fault_is_seen_by_its_checks_alone(planted: Planted) -> None:
    results = run_here(SPEC, planted.overrides)
    reasons = {name: result.reason for name, result in results.items()}
    undecided = {name for name, result in results.items() if not result.verdict.is_decided}
    missed = {name for name, result in results.items() if result.verdict is Verdict.MISSED}
    assert (missed, undecided) == ({*planted.missed.split()}, {*planted.undecided.split()}), reasons
    assert [reasons[name] for name in undecided if planted.reason not in reasons[name]] == []


def test_every_check_on_ranks_is_missed_for_some_fault() -> None:
    checks = gather(entry_points=False).checks.values()
    ranked = {check.name for check in checks if check.measurements == ("distributed_run",)}
    assert {name for fault in FAULTS for name in fault.missed.split()} == {*ranked, "epoch_order_repeats"}

"""Each fault of a training loop, planted in a healthy script, turns its own criteria red and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retspec.plugins.catalog import gather
from retspec.records import Verdict
from tests.here import run_here
from tests.loop.healthy import HEALTHY, SPEC
from tests.loop.planting import FAULTS, Fault

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_seen_by_its_checks_alone(fault: Fault, tmp_path: Path) -> None:
    sound = next(each for each in HEALTHY if (each.script, each.args) == (fault.script, fault.args))
    if sound.needs:
        pytest.importorskip(sound.needs)
    script = f'train.script="{fault.plant(tmp_path)}"'
    results = run_here(SPEC, [*sound.overrides, script, *fault.overrides])
    verdicts = {name: result.verdict for name, result in results.items()}
    undecided = {*sound.undecided, *fault.undecided.split()}
    reasons = {name: result.reason for name, result in results.items()}
    assert {name for name, verdict in verdicts.items() if verdict is Verdict.MISSED} == {*fault.missed.split()}, reasons
    assert {name for name, verdict in verdicts.items() if not verdict.is_decided} == undecided, reasons


def test_every_check_on_the_watched_steps_is_missed_for_some_fault() -> None:
    checks = gather(entry_points=False).checks.values()
    watching = {check.name for check in checks if check.measurements in {("loop",), ("owners",)}}
    assert {name for fault in FAULTS for name in fault.missed.split()} == watching

"""No false alarm: healthy loops of many makes meet every criterion, or have no verdict for a reason."""

from __future__ import annotations

import pytest

from retspec.records import Verdict
from tests.here import run_here
from tests.loop.healthy import HEALTHY, SPEC, Healthy


@pytest.mark.parametrize("sound", HEALTHY, ids=lambda sound: " ".join([sound.script, *sound.args]))
def test_a_healthy_loop_raises_no_alarm(sound: Healthy) -> None:
    if sound.needs:
        pytest.importorskip(sound.needs)
    results = run_here(SPEC, sound.overrides)
    unmet = {name: result for name, result in results.items() if result.verdict is not Verdict.MET}
    assert {name: result.reason for name, result in unmet.items() if result.verdict.is_decided} == {}
    assert unmet.keys() == sound.undecided.keys()
    assert [name for name, reason in sound.undecided.items() if reason not in unmet[name].reason] == []

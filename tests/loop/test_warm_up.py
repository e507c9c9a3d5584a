"""A warm-up whose rate cannot move a value yet is no fault; a parameter that nothing trains is one all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retspec.records import Verdict
from tests.here import run_here
from tests.loop.planting import SCRIPTS
from tests.run.tools import spec_in

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.records import Result


def judged(tmp_path: Path, *chosen: str, steps: int = 3) -> Result:
    train = f"train: {{script: {SCRIPTS / 'warm_up.py'}, args: [{', '.join(chosen)}], steps: {steps}}}\n"
    (result,) = run_here(spec_in(tmp_path, "unchanged_params: 0\n", train)).values()
    return result


@pytest.mark.parametrize("chosen", ["", "sgd"])
def test_the_lowest_layer_of_a_warm_up_raises_no_alarm(tmp_path: Path, chosen: str) -> None:
    result = judged(tmp_path, chosen)
    assert result.verdict is Verdict.MET, result.reason
    assert result.observed is not None
    assert result.observed.details["not judged, the rate is still too low to move it"] == ["norm.weight"]


@pytest.mark.parametrize(
    ("fault", "still"),
    [
        ("detached", ["norm.weight", "norm.bias"]),
        ("idle", ["norm.weight", "norm.bias"]),
    ],
)
def test_what_nothing_trains_is_still_seen_under_a_warm_up(tmp_path: Path, fault: str, still: list[str]) -> None:
    result = judged(tmp_path, fault)
    assert result.verdict is Verdict.MISSED, result.reason
    assert result.observed is not None
    assert result.observed.details["unchanged"] == still


def test_a_single_step_of_a_warm_up_from_zero_gets_no_verdict(tmp_path: Path) -> None:
    result = judged(tmp_path, steps=1)
    assert result.verdict is Verdict.INCONCLUSIVE, result.reason
    assert "too low so far to move any parameter" in result.reason

"""One run after another, or beside another, in the folder that retspec itself chooses."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.reliability.harm import none_left, plugin, spec
from tests.reliability.scenario import Scenario
from tests.reliability.scenarios.interrupts import SLEEPS, send
from tests.review.recorded import green_results_of

GROUP = "One run after another"
COMMAND = ("run", "spec.yaml", "-p", "checks.py")
WHOLE = Path("reports") / "spec"
KEPT = "the last whole results in `previous.json`, those of this run red"


def _run_before(folder: Path) -> None:
    """Leave the results of a whole run of a sound spec of that name."""
    sound = folder / "before.yaml"
    sound.write_text("retspec: 1\nconfig: train.json\nchecks: {config_paths: 0}\n")
    (folder / "train.json").write_text("{}")
    (folder / WHOLE).mkdir(parents=True)
    (folder / WHOLE / "results.json").write_text(green_results_of(sound))


def _hold_both(folder: Path) -> None:
    none_left(folder)
    now, before = (json.loads((folder / WHOLE / name).read_text()) for name in ("results.json", "previous.json"))
    assert (before["exit_code"], now["exit_code"] == 0) == (0, False)
    assert [result["verdict"] for result in now["results"]][1:] == ["not run", "not run"]


def _ended(fault: str, number: signal.Signals, sees: str) -> Scenario:
    return Scenario(
        group=GROUP,
        fault=fault,
        spec=spec(),
        files=plugin(SLEEPS),
        command=COMMAND,
        prepare=_run_before,
        act=send(number),
        exit_code=128 + number,
        sees=sees,
        on_disk=KEPT,
        afterwards=_hold_both,
    )


SCENARIOS = [
    _ended(
        "Ctrl-C in a run after a whole one",
        signal.SIGINT,
        "the run ended early: the last whole results are in reports/spec/previous.json",
    ),
    _ended("SIGKILL in a run after a whole one", signal.SIGKILL, ""),
]

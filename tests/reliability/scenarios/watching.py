"""`run --watch`: what watches ends, and nothing is left."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from tests.reliability.harm import none_left, plugin, spec, wait_for
from tests.reliability.scenario import Scenario
from tests.reliability.scenarios.interrupts import SLEEPS, send

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

GROUP = "Watching"
COMMAND = ("run", "spec.yaml", "-p", "checks.py", "--watch")
ANY = "what a run leaves"


def _kill(program: subprocess.Popen[str], folder: Path) -> None:
    """Kill the process that watches; the run beside it notes its own number, too."""
    wait_for("pids")(folder)
    program.kill()


def _mend(after: Callable[[subprocess.Popen[str], Path], None]) -> Callable[[subprocess.Popen[str], Path], None]:
    """Write a valid spec, once the invalid one was reported, and go on."""

    def act(program: subprocess.Popen[str], folder: Path) -> None:
        assert program.stderr is not None
        while "Ctrl-C ends" not in program.stderr.readline():
            pass
        (folder / "spec.yaml").write_text(spec())
        after(program, folder)

    return act


def watched(fault: str, exit_code: int, sees: str, act: Any, **more: Any) -> Scenario:
    fields: dict[str, Any] = {
        "group": GROUP,
        "fault": fault,
        "spec": spec(),
        "files": plugin(SLEEPS),
        "command": COMMAND,
        "act": act,
        "exit_code": exit_code,
        "sees": sees,
        "on_disk": ANY,
        "afterwards": none_left,
    }
    return Scenario(**fields | more)


SCENARIOS = [
    watched("Ctrl-C while a run works", 130, "run: the run was interrupted by SIGINT", send(signal.SIGINT)),
    watched("SIGTERM while a run works", 143, "run: the run was interrupted by SIGTERM", send(signal.SIGTERM)),
    watched("SIGKILL of the process that watches, while a run works", 137, "", _kill),
    watched(
        "an invalid spec is reported, and the next one is run",
        130,
        "run: the run was interrupted by SIGINT",
        _mend(send(signal.SIGINT)),
        spec=spec().replace("sound", "sund"),
    ),
]

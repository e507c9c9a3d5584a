"""Someone wants the run to end: in good order if it can be, and never green."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from tests.reliability.harm import none_left, plugin, spec, wait_for
from tests.reliability.scenario import COMPLETE, NOTHING, Scenario

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping
    from pathlib import Path

GROUP = "Interruptions"
SLEEPS = """
child = subprocess.Popen(["sleep", "600"], close_fds=False)
note("pids", f"{os.getpid()} {child.pid}")
time.sleep(600)
"""
APART = SLEEPS.replace("close_fds=False", "start_new_session=True")
STUBBORN = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
note("pids", os.getpid())
ctypes.PyDLL(None).sleep(600)
"""
SLOW_TO_LOAD = """
import time
from pathlib import Path

Path("loading").touch()
time.sleep(600)
"""
SLOW_TO_WRITE = """

def slowly(report):
    if report.count("met") == WHEN:
        note("writing")
        time.sleep(2)
    return "slow"


@hookimpl
def retspec_reporters():
    return [Reporter(name="slow", render=slowly)]
"""


def send(*numbers: signal.Signals, after: str = "pids") -> Callable[[subprocess.Popen[str], Path], None]:
    """Send signals to the program, a third of a second apart, once a file is there."""

    def act(program: subprocess.Popen[str], folder: Path) -> None:
        wait_for(after)(folder)
        for number in numbers:
            program.send_signal(number)
            time.sleep(0.3)

    return act


def ended(
    fault: str,
    *numbers: signal.Signals,
    body: str = SLEEPS,
    sees: str | None = None,
    prelude: str = "",
) -> Scenario:
    return Scenario(
        group=GROUP,
        fault=fault,
        spec=spec(),
        files=plugin(body),
        act=send(*numbers),
        exit_code=128 + numbers[-1],
        sees=f"run: the run was interrupted by {numbers[-1].name}" if sees is None else sees,
        verdicts={"harmful": "not run", "after": "not run"},
        prelude=prelude,
        afterwards=none_left,
    )


def while_writing(fault: str, when: int, after: Mapping[str, str]) -> Scenario:
    files = plugin("")
    return Scenario(
        group=GROUP,
        fault=fault,
        spec=spec(),
        files={"checks.py": files["checks.py"] + SLOW_TO_WRITE.replace("WHEN", str(when))},
        arguments=("--report", "slow=slow.txt"),
        act=send(signal.SIGTERM, after="writing"),
        exit_code=143,
        sees="run: the run was interrupted by SIGTERM",
        verdicts=after,
    )


SCENARIOS = [
    ended("Ctrl-C while a check works", signal.SIGINT),
    ended("SIGTERM while a check works, as a CI server sends it", signal.SIGTERM),
    ended("SIGHUP while a check works: the terminal is closed", signal.SIGHUP),
    ended("Ctrl-C though a background shell had it ignored", signal.SIGINT, prelude="trap '' INT"),
    ended("a second Ctrl-C while the worker refuses to end", signal.SIGINT, signal.SIGINT, body=STUBBORN, sees=""),
    ended("SIGKILL, which no program hears", signal.SIGKILL, sees=""),
    ended("SIGKILL while a child has a session of its own", signal.SIGKILL, body=APART, sees=""),
    ended("SIGKILL while the worker refuses to end", signal.SIGTERM, signal.SIGKILL, body=STUBBORN, sees=""),
    while_writing(
        "SIGTERM while the first report is written",
        0,
        {"before": "not run", "harmful": "not run", "after": "not run"},
    ),
    while_writing("SIGTERM while the last report is written", 3, {"before": "met", "harmful": "met", "after": "met"}),
    Scenario(
        group=GROUP,
        fault="Ctrl-C before anything is measured",
        spec=spec(),
        files={"checks.py": SLOW_TO_LOAD},
        act=send(signal.SIGINT, after="loading"),
        exit_code=130,
        sees="interrupted",
        on_disk=NOTHING,
    ),
    Scenario(
        group=GROUP,
        fault="SIGHUP under `nohup`: the run goes on",
        spec=spec(),
        files=plugin("note('pids', os.getpid()); time.sleep(1)"),
        act=send(signal.SIGHUP),
        prelude="trap '' HUP",
        exit_code=0,
        sees="after: met",
        on_disk=COMPLETE,
        verdicts={"before": "met", "harmful": "met", "after": "met"},
    ),
]

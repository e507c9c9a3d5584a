"""What the soaks of runs on this machine share: a check that does harm, starting a run, and holding what is left."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = "RETSPEC_SOAK"
"""Environment variable by which every process of a run is known."""
GRACE = 5.0
"""Seconds that the processes of a run have to go."""
PLUGIN = '''
import json
import os
import signal
import subprocess
import time
from pathlib import Path

from retspec.plugin import Check, Observed, check, hookimpl

if os.environ.get("SOAK_CLOCK"):
    wall = time.time
    time.time = lambda: wall() - 1e6 * (os.getpid() % 3)

def note(file, name):
    """Add a line in one piece: other workers add theirs."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{name}\\n".encode())
    os.close(descriptor)

def meet(name, times):
    """Wait until a criterion has begun so often, but not for ever."""
    deadline = time.monotonic() + 60
    while Path("log").read_text().split().count(name) < times and time.monotonic() < deadline:
        time.sleep(0.005)

def drawn(name):
    """Return what was drawn for a criterion of a cell."""
    path = Path("drawn.json")
    return json.loads(path.read_text()).get(name, {}) if path.exists() else {}

@check(direction="at most", advice="Nothing to do.")
def logged(*, name: str, child: bool, harm: str = "none") -> Observed[int]:
    """Does it run?"""
    note("log", name)
    given = drawn(name)
    harm = given.get("harm", harm)
    if child:
        subprocess.Popen(["sleep", "600"], start_new_session=harm == "session")
    for other, times in given.get("meets", {}).items():
        meet(other, times)
    while harm == "flood":
        print("x" * 10_000)
    while harm == "hang":
        time.sleep(1)
    if harm == "exit":
        os._exit(0)
    if harm == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.08)
    note("ended", name)
    details = {"large": ["x" * 2**20] * 20} if harm == "large" else {"words": "x" * given.get("words", 5_000)}
    return Observed(given.get("value", 0), details)

@hookimpl
def retspec_checks() -> list[Check]:
    return [logged]
'''


def start(
    folder: Path, name: str, *arguments: str, clock: bool = False, full_at: int | None = None
) -> subprocess.Popen[str]:
    """Start a run of the spec in a folder.

    name: by which its processes are known. clock: it goes back in each. full_at: the disk is full for a file of so many
    bytes.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), MARK: name, "SOAK_CLOCK": "1" if clock else ""}
    if full_at is not None:
        environment["PYTHONDONTWRITEBYTECODE"] = "1"  # Python would keep half a file, and later programs read it

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell has it ignored in what it starts in the background
        if full_at is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (full_at, full_at))

    return subprocess.Popen(
        [sys.executable, "-m", "retspec", "run", "spec.yaml", *arguments],
        cwd=folder,
        env=environment,
        preexec_fn=prepare,  # noqa: PLW1509 - there is one thread
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ps(*arguments: str) -> list[str]:
    """Return the lines of the table of processes."""
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=True).stdout.splitlines()  # noqa: S607


def hold_none_left(name: str, what: str) -> None:
    """No process of the run is left, the worker's children included."""
    deadline = time.monotonic() + GRACE
    while left := [line for line in ps("axeww", "-o", "stat=,command=") if f"{MARK}={name} " in f"{line} "]:
        if all(line.startswith("Z") for line in left):
            return
        require(time.monotonic() < deadline, f"{what}: left running: {left}")
        time.sleep(0.02)


def require(holds: bool, complaint: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Raise AssertionError unless it holds."""
    if not holds:
        raise AssertionError(complaint)

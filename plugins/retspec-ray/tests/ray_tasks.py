"""Tasks for tests: a line of Python in place of a measurement; front end, driver and nodes import them from here."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.executors import EngineError, Phase, Task

from retspec_ray.engine import RayEngine
from retspec_ray.records import Needs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retspec.executors import State

HERE = Path(__file__).parent
PYTHONPATH = os.pathsep.join(map(str, (HERE.parent / "src", HERE, HERE.parents[2])))
"""Where the processes of a cluster find the plugin, the tasks of the tests, and retspec."""
WITHOUT = "the tests on a Ray cluster need Ray: pip install ray"
"""Why they are skipped."""
NODE: dict[str, Any] = {
    "num_cpus": 1,
    "include_dashboard": False,
    "object_store_memory": 80 << 20,
    "dashboard_agent_listen_port": 0,
}
PATIENCE = 240.0
"""Seconds that anything may take on a busy machine."""
SLEEPS = "say(pid=os.getpid(), orphan=run('sleep', '600')); time.sleep(600)"
PRELUDE = """
import json, os, signal, subprocess, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
def say(**content):
    (folder / "attempt-1").mkdir(exist_ok=True)
    (folder / "attempt-1/saying").write_text(json.dumps(content))
    (folder / "attempt-1/saying").replace(folder / "attempt-1/said.json")
def run(*command):
    return subprocess.Popen(command, start_new_session=True).pid
"""


@dataclass(frozen=True, kw_only=True)
class Scripted(Task):
    """A task that runs a script instead of `retspec run-task`."""

    script: str

    def command(self, folder: Path) -> tuple[str, ...]:
        return (sys.executable, "-c", PRELUDE + self.script, str(folder))


def scripted(below: Path, script: str, *, name: str = "0000", cwd: Path | None = None) -> Scripted:
    folder = below / name
    folder.mkdir(parents=True)
    (folder / "task.json").write_text('{"asked": 1}')
    return Scripted(name=name, folder=folder, cwd=cwd or below, script=script)


def with_needs(engine: RayEngine, **needs: Any) -> RayEngine:
    """Return an engine with other needs and the same driver, which knows nothing of what has ended."""
    other = RayEngine("", Needs(**needs))
    other._link = engine._link
    return other


def ended(engine: RayEngine, handle: str) -> State:
    """Return how a task ended."""

    def state() -> State | None:
        found = engine.states([handle])[handle]
        return found if found.phase is Phase.ENDED else None

    found: State = until(state)
    return found


def said(engine: RayEngine, handle: str, folder: Path) -> Any:
    """Return what a task says while it runs, once that has arrived."""
    path = folder / "attempt-1/said.json"
    return until(lambda: engine.states([handle]) and path.exists() and json.loads(path.read_text()))


def until(is_so: Callable[[], Any]) -> Any:
    """Return what comes true, or fail; an engine that does not answer is asked again, as by retspec."""
    end, why = time.monotonic() + PATIENCE, ""
    while True:
        try:
            if found := is_so():
                return found
        except EngineError as error:
            why = f": {error}"
        assert time.monotonic() < end, f"it took too long{why}"
        time.sleep(0.1)


@contextmanager
def ctrl_c(handler: Any) -> Iterator[None]:
    """Set what SIGINT does here; what starts meanwhile takes over if it is ignored, and the default if it is not."""
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def are_gone(*pids: int) -> bool:
    return not any(_is_alive(pid) for pid in pids)


def _is_alive(pid: int) -> bool:
    return bool(stat := _stat(pid)) and stat[0] != "Z"


def _stat(pid: int) -> list[str]:
    """Return the state of a process, its parent and more, or nothing if it is gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []


def processes(name: str) -> list[int]:
    """Return the processes that Ray gave a name, on nodes that this process has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            pid = int(path.name)
            if (path / "cmdline").read_bytes().startswith(name.encode()) and _is_below(pid, os.getpid()):
                found.append(pid)
    return found


def _is_below(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        stat = _stat(pid)
        pid = int(stat[1]) if stat else 0
    return False

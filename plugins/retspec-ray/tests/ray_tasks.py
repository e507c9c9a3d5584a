"""Tasks for tests: a line of Python in place of a measurement; front end, driver and nodes import them from here."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.executors import Task

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
PYTHONPATH = os.pathsep.join(map(str, (HERE.parent / "src", HERE, HERE.parents[2])))
"""Where the processes of a cluster find the plugin, the tasks of the tests, and retspec."""
PRELUDE = """
import json, os, signal, subprocess, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
def say(**content):
    (folder / "attempt-1").mkdir(exist_ok=True)
    (folder / "attempt-1/said.json").write_text(json.dumps(content))
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


def until(is_so: Callable[[], Any], seconds: float = 30.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)
    return found


def are_gone(*pids: int) -> bool:
    return not any(_is_alive(pid) for pid in pids)


def _is_alive(pid: int) -> bool:
    with suppress(OSError):
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False


def processes(name: str) -> list[int]:
    """Return the processes that Ray gave a name."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (path / "cmdline").read_bytes().startswith(name.encode()):
                found.append(int(path.name))
    return found

"""Tasks for tests: a line of Python in place of a measurement; front end, driver and nodes import them from here."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from retspec.executors import Task

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

"""Tasks that run a line of shell, and looking at what becomes of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.executors import Engine, EngineError, Phase, State, Task

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Line(Task):
    """A task whose command is a line of shell, with its folder as `$1`."""

    line: str

    def command(self, folder: Path) -> tuple[str, ...]:
        return ("/bin/sh", "-c", self.line, "sh", str(folder))


def tasks(below: Path, *lines: str, cwd: Path | None = None) -> list[Line]:
    """Return a task for each line, with its folder."""
    found = [
        Line(name=f"{number:04}", folder=below / f"{number:04}", cwd=cwd or below, line=line)
        for number, line in enumerate(lines)
    ]
    for task in found:
        task.folder.mkdir(parents=True, exist_ok=True)
    return found


def state_of(engine: Engine, handle: str) -> State:
    """Return the state of one task, once Slurm answers."""
    end = time.monotonic() + 60
    while True:
        try:
            return engine.states([handle])[handle]
        except EngineError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def wait_for(engine: Engine, handle: str, phase: Phase, *, within: float = 60) -> State:
    """Return the state of a task once it is in a phase, and its last processes have ended."""
    end = time.monotonic() + within
    while (found := state_of(engine, handle)).phase is not phase or found.reason.startswith("COMPLETING"):
        assert time.monotonic() < end, found
        time.sleep(0.1)
    return found

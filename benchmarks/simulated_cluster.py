"""A cluster that measures one task, and gives what came of it as the results of all others: for `cluster.py`."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from retspec.executors import OUTPUT, Engine, Executor, Phase, State, Task, executor
from retspec.plugin import Check, Cost, Measurement, check, hookimpl, measurement

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

RESULTS = "attempt-1/results.json"


class Simulated(Engine):
    """Ends `rate` tasks between two questions."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._folders: dict[str, Path] = {}
        self._ended: set[str] = set()
        self._part: dict[str, Any] = {}

    def submit(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Do the first task."""
        first = tasks[0]
        with (first.folder / OUTPUT).open("wb") as output:
            subprocess.run(first.command(first.folder), cwd=first.cwd, stdout=output, stderr=output, check=False)
        self._part = json.loads((first.folder / RESULTS).read_text())
        self._folders = {task.name: task.folder for task in tasks}
        return {task.name: task.name for task in tasks}

    def states(self, handles: Collection[str]) -> Mapping[str, State]:
        """End some tasks, and return the state of all."""
        for handle in list(handles)[: self._rate]:
            self._end(self._folders[handle])
            self._ended.add(handle)
        return {handle: State(Phase.ENDED if handle in self._ended else Phase.WAITING) for handle in handles}

    def _end(self, folder: Path) -> None:
        (cell,) = json.loads((folder / "task.json").read_text())["criteria"]
        part = {**self._part, "cell": "", "results": [], "measurements": [], "provenance": {}}
        part["cells"] = [{**(self._part["cells"] or [self._part])[0], "cell": cell}]
        part.pop("exit_code", None)
        (folder / RESULTS).parent.mkdir(exist_ok=True)
        (folder / RESULTS).write_text(json.dumps(part))

    def cancel(self, handles: Collection[str]) -> None:
        """Do nothing: nothing runs."""


@executor
def simulated(*, rate: int = 50) -> Engine:
    """One task, again and again."""
    return Simulated(rate)


@measurement(cost=Cost.STATIC, needs_torch=False)
def seconds_of_a_minute() -> int:
    """Return 60."""
    return 60


@check(direction="at most", unit="seconds", advice="Buy another clock.")
def a_minute(seconds_of_a_minute: int) -> int:
    """How many seconds has a minute?"""
    return seconds_of_a_minute


@hookimpl
def retspec_checks() -> list[Check]:
    """Return the check."""
    return [a_minute]


@hookimpl
def retspec_measurements() -> list[Measurement]:
    """Return the measurement."""
    return [seconds_of_a_minute]


@hookimpl
def retspec_executors() -> list[Executor]:
    """Return the cluster."""
    return [simulated]

"""A plugin: an engine that starts each task as a process here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from retspec.executors import OUTPUT, Engine, EngineError, Executor, Phase, State, Task, executor
from retspec.plugin import hookimpl
from tests.processes import is_running

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

INSTRUCTIONS = "task.json"


class Pool(Engine):
    """Starts processes, and has faults on demand.

    trouble: `refuses` every task; does not `start` any; is `silent` for its first three answers, or always (`dead`);
        gives nodes `other` versions; its nodes are `late`, or killed once something is `answered`.
    """

    def __init__(self, trouble: str) -> None:
        self._trouble = trouble
        self._started: dict[str, subprocess.Popen[bytes]] = {}
        self._asked = 0

    def submit(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        if self._trouble == "refuses":
            raise EngineError("pool: there is no partition 'gpux'")
        return {task.name: self._start(task) for task in tasks}

    def _start(self, task: Task) -> str:
        if self._trouble == "start":
            return f"never {task.name}"
        if self._trouble == "other":
            path = task.folder / INSTRUCTIONS
            instructions: dict[str, Any] = json.loads(path.read_text())
            instructions["versions"]["torch"] = "1.0.0"
            path.write_text(json.dumps(instructions))
        command: tuple[str, ...] = task.command(task.folder)
        if self._trouble == "late":  # the results come after the task has ended
            command = ("sh", "-c", '("$@"; true) & exit 0', "sh", *command)
        with (task.folder / OUTPUT).open("wb") as output:
            process = subprocess.Popen(
                command, cwd=task.cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        self._started[str(process.pid)] = process
        return str(process.pid)

    def states(self, handles: Collection[str]) -> Mapping[str, State]:
        self._asked += 1
        if self._trouble == "dead" or (self._trouble == "silent" and self._asked <= 3):
            raise EngineError("pool: no answer")
        return {handle: self._state(handle) for handle in handles}

    def _state(self, handle: str) -> State:
        if handle.startswith("never"):
            return State(Phase.ENDED, reason="cancelled by the admin")
        process = self._started.get(handle)
        if process is None:
            return State(Phase.RUNNING if is_running(int(handle)) else Phase.ENDED, "here")
        status = process.poll()
        if status is None:
            return State(Phase.RUNNING, "here")
        return State(Phase.ENDED, "here", f"killed by signal {-status}" if status < 0 else "")

    def cancel(self, handles: Collection[str]) -> None:
        for handle in handles:
            with suppress(ProcessLookupError, ValueError):
                os.killpg(int(handle), signal.SIGTERM)
        for handle in handles:
            while handle.isdigit() and is_running(int(handle)):
                time.sleep(0.05)
                if (process := self._started.get(handle)) is not None:
                    process.poll()


@executor
def pool(*, trouble: str = "", gpus: int = 0, cores: int = 1) -> Engine:  # noqa: ARG001 - read by the core
    """Start processes on this machine."""
    return Pool(trouble)


@hookimpl
def retspec_executors() -> list[Executor]:
    return [pool]

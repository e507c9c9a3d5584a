"""For plugins that measure on other machines: what an engine is given, and what it answers.

A run is cut into tasks, each some cells of a spec that share a base model. An engine starts the command of each task
on a node, says in which state it is, and can cancel it. Everything else is the core's: it writes the folder of the
task, reads the results that the node writes there, judges, reports, and gives criteria whose task was lost no verdict,
with the reason that the engine states::

    from collections.abc import Collection, Mapping, Sequence

    from retspec.executors import Engine, EngineError, Executor, Phase, State, Task, executor
    from retspec.plugin import hookimpl

    class Pool(Engine):
        def submit(self, tasks: Sequence[Task]) -> Mapping[str, str]:
            return {task.name: my_pool.start(task.command(task.folder)) for task in tasks}

        def states(self, handles: Collection[str]) -> Mapping[str, State]:
            alive = my_pool.alive()
            return {handle: State(Phase.RUNNING if handle in alive else Phase.ENDED) for handle in handles}

        def cancel(self, handles: Collection[str]) -> None:
            my_pool.kill(handles)

    @executor
    def pool(*, gpus: int = 0, partition: str = "") -> Engine:
        '''The pool in our basement.'''
        return Pool(gpus, partition)

    @hookimpl
    def retspec_executors() -> list[Executor]:
        return [pool]

`run: {executor: pool, resources: {gpus: 1}}` in a spec, or `--executor pool`, then measures there. The keyword-only
parameters of the function are the keys of `resources`, their annotations the schema. Where an engine has these, they
are called so: `gpus`, `cores` (CPU cores), `memory` (`16GiB`), `hours` (the limit of time), all for each task.

An `Engine` is given each `Task`, and answers with a `State`: its `Phase`, where the task is, and why. It raises
`EngineError` for what goes wrong with itself. `@executor` makes an `Executor` of the function that returns it.

A task's `folder` is on the machine of the front end. An engine whose nodes share that disk gives it to the command as
it is, and keeps what the command prints in the file `OUTPUT` there. Any other sends `packed(task.folder)` to the node,
unpacks it there by `unpacked` into a folder of its own, and brings back what the command writes in the same way, as
often as it likes.
"""

from __future__ import annotations

import inspect
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from retspec.errors import EngineError
from retspec.plugins.kinds import Executor
from retspec.plugins.signatures import read_signature
from retspec.whole_files import replace_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

__all__ = ["OUTPUT", "Engine", "EngineError", "Executor", "Phase", "State", "Task", "executor", "packed", "unpacked"]

INSTRUCTIONS = "task.json"
"""In the folder of a task: what its node measures."""
OUTPUT = "output.txt"
"""In the folder of a task: what its command printed, where the engine keeps that."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """Some cells of a spec, for one node."""

    name: str
    """Digits, unique among the tasks of a run: that of its folder, too."""
    folder: Path
    """Absolute: has the instructions, and gets the results. All tasks of a run have folders in one folder."""
    cwd: Path
    """Absolute: the folder in which the command must run, since relative paths start there."""

    def command(self, folder: Path) -> tuple[str, ...]:
        """Return the command that does the task whose files are in a folder, here or on a node."""
        return (sys.executable, "-m", "retspec", "run-task", str(folder))


class Phase(Enum):
    """How far a task is."""

    WAITING = auto()
    RUNNING = auto()
    ENDED = auto()


@dataclass(frozen=True)
class State:
    """What an engine knows of a task."""

    phase: Phase
    where: str = ""
    """The node on which it runs, or ran."""
    reason: str = ""
    """Why it still waits, or what ended it; shown if criteria have no verdict: `OUT_OF_MEMORY`, `cancelled`."""


class Engine(ABC):
    """A cluster, or anything else that runs commands elsewhere. Its methods are called from one thread."""

    @abstractmethod
    def submit(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Hand the tasks over, all at once, and return the handle of each by its name, without waiting for any.

        A handle is text by which another process finds the task again. Tasks may have been submitted before.
        Raises EngineError, in one line, if the engine refuses them; then none may be left behind.
        """

    @abstractmethod
    def states(self, handles: Collection[str]) -> Mapping[str, State]:
        """Return the state of each task, by its handle. One that the engine does not know has ended.

        A task that the engine will start again by itself is WAITING, and not ENDED. Called every few seconds.
        Raises EngineError if the engine does not answer: it is asked again.
        """

    @abstractmethod
    def cancel(self, handles: Collection[str]) -> None:
        """End these tasks, with everything that they started, and forget those that have ended.

        Returns once the engine has accepted that. Raises EngineError.
        """


def executor(function: Callable[..., Engine]) -> Executor:
    """Make a value of `run.executor` from a function `(*, resources) -> Engine`; see the top of this page."""
    _, keyword = read_signature(function)
    name = str(getattr(function, "__name__", function)).replace("_", "-")
    return Executor(name=name, function=function, arguments=keyword, doc=inspect.getdoc(function) or "")


def packed(folder: Path) -> dict[str, bytes]:
    """Return the files of a task's folder by their paths in it: instructions, and results so far."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*.json"))}


def unpacked(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files of a task into a folder, each in one step; a file with this content is left alone."""
    for name, content in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_whole(path, content)

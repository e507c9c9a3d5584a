"""What the front end, the driver, the desk and the nodes tell each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retspec.executors import State, Task

NAMESPACE = "retspec"
"""The namespace of all desks on a cluster."""
A_TASK = 0.02
"""Seconds that the submission of each task may take; 5,000 took 13 s on two busy cores."""


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What each task gets on its node.

    memory: in bytes; 0 for any. cwd: empty for the path that it has at the front end.
    """

    gpus: int = 0
    cores: int = 1
    memory: int = 0
    hours: float = 24.0
    cwd: str = ""

    @property
    def quantities(self) -> dict[str, float]:
        """The resources by Ray's names."""
        return {"CPU": self.cores, "GPU": self.gpus, "memory": self.memory}


@dataclass(frozen=True)
class Order:
    """A task, and the files with which it starts: a node may not see the folder of the front end."""

    task: Task
    files: dict[str, bytes]


@dataclass(frozen=True)
class News:
    """How far a task is, and the files that were not fetched yet.

    folder: where they belong, at the front end. edition: of these files; to be named once they are written.
    """

    state: State
    folder: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    edition: int = 0


@dataclass(frozen=True)
class Failure:
    """Why a question to the cluster has no answer, in one line."""

    sentence: str

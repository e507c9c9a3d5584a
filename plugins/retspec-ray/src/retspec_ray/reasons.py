"""What ended a task, in one line, from what Ray raises."""

from __future__ import annotations

import asyncio

import ray
from ray.exceptions import (
    NodeDiedError,
    OutOfMemoryError,
    RayTaskError,
    TaskCancelledError,
    WorkerCrashedError,
)
from retspec.plugin import one_line

CANCELLED = "cancelled"
_LONGEST = 300
_PATIENCE = 3.0
"""Seconds in which Ray may notice that a node died, after it has noticed that a worker there did."""
_LOOK = 0.5


async def reason_of(error: BaseException, node: str) -> str:
    """Return why a task failed; node: the id of the one that had it, or an empty string."""
    match error:
        case TaskCancelledError():
            return CANCELLED
        case OutOfMemoryError():
            return "out of memory: Ray ended it to keep its node alive"
        case NodeDiedError():
            return "the node died"
        case WorkerCrashedError():
            return "the node died" if await _dies(node) else "the process of Ray that had it was killed"
        case RayTaskError():
            return last_line(error)
    return f"{type(error).__name__}: {one_line(str(error))}"[:_LONGEST]


def first_line(error: BaseException) -> str:
    """Return how the message of an error begins, or its name."""
    return one_line((str(error).strip().splitlines() or [type(error).__name__])[0])[:_LONGEST]


def last_line(error: BaseException) -> str:
    """Return how the message of an error ends, or its name: Ray puts the error of a node's code last."""
    return one_line((str(error).strip().splitlines() or [type(error).__name__])[-1])[:_LONGEST]


async def _dies(node: str) -> bool:
    """Wait a little for the news that a node died: those of its workers come first."""
    for _ in range(int(_PATIENCE / _LOOK)):
        if node and node not in {each["NodeID"] for each in ray.nodes() if each["Alive"]}:
            return True
        await asyncio.sleep(_LOOK)
    return False

"""Measure on other machines: cut a run into tasks, hand them to an engine, follow what their nodes write.

A node runs `retspec run-task FOLDER`, with a supervisor of its own, and writes `results.json` into the folder of its
attempt, complete at every moment. The front end feeds what it reads there to the same board that local workers report
to, and judges it. Two attempts never write the same file: an engine may start a task again while a node that it lost
sight of still works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.cluster.local import local
from retspec.plugins.hooks import hookimpl

if TYPE_CHECKING:
    from retspec.plugins.kinds import Executor


@hookimpl
def retspec_executors() -> list[Executor]:
    """Return the executor that is built in."""
    return [local]

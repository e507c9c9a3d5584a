"""Measure on a Ray cluster: `run: {executor: ray}`.

The front end never imports Ray. A process of its own talks to the cluster (`driver`): Ray writes to the terminal, takes
over signals, and ends the process in which it loses its cluster. On the cluster, a small actor, the desk, has the tasks
of a run and keeps what they write until it was fetched. It outlives the front end, so that another one can take up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugin import hookimpl

from retspec_ray.executor import ray

if TYPE_CHECKING:
    from retspec.executors import Executor

__all__ = ["ray"]


@hookimpl
def retspec_executors() -> list[Executor]:
    """Offer `run: {executor: ray}`."""
    return [ray]

"""Measure: run a worker process, watch it, and turn everything that can happen to it into outcomes.

A worker that crashes, hangs or is killed costs the criteria that waited for it their verdict; a fresh worker takes the
rest, at most three times. The supervisor never waits for the end of a pipe, since children of the worker may hold it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from retspec.measure.attempt import RUN, Attempt
from retspec.measure.protocol import Finished, Job
from retspec.measure.workers import Workers
from retspec.records import Outcome, Verdict, seconds

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from retspec.measure.protocol import Message
    from retspec.records import Plan

__all__ = ["MOST_RESTARTS", "Workers", "measure"]

MOST_RESTARTS = 3


def measure(
    plan: Plan, workers: Workers, *, plugins: Sequence[str] = (), entry_points: bool = True, more: bool = False
) -> Generator[Message]:
    """Yield what happens, and a `Finished` for every criterion of the plan; one more takes back what cannot be true.

    workers: who measures; closing the iterator ends a worker at work and everything that it started.
    more: whether another plan follows, for the same workers.

    Raises RetspecError when no worker can be started.
    """
    if not plan.checks:
        return
    limit = plan.spec.run.timeout
    deadline = time.monotonic() + seconds(limit) if limit else float("inf")
    waiting = {step.criterion.id: None for step in plan.checks}
    last_end = ""
    for _attempt in range(1 + MOST_RESTARTS):
        rest = plan.restricted_to(waiting)
        job = Job(plan=rest, plugins=tuple(plugins), entry_points=entry_points, more=more)
        attempt = Attempt(job, workers, {RUN: deadline})
        for message in attempt.messages():
            if isinstance(message, Finished):
                waiting.pop(message.outcome.id, None)
            yield message
        last_end = attempt.end
        if not waiting or not attempt.got_anywhere or time.monotonic() >= deadline:
            break
    too_often = f"the worker died too often, {1 + MOST_RESTARTS} times; the last time {last_end}"
    is_over = time.monotonic() >= deadline
    failure, reason = (Verdict.TIMEOUT, f"{RUN} is over") if is_over else (Verdict.CRASH, too_often)
    for name in waiting:
        yield Finished(Outcome(id=name, failure=failure, reason=reason))

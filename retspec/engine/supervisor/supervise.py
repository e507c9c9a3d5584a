"""Measure one plan: after a crash, a hang or a kill some criteria have no verdict, but the run goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from retspec.engine.protocol import Finished
from retspec.engine.supervisor.attempt import RUN, Attempt
from retspec.records import Outcome, Verdict, seconds

if TYPE_CHECKING:
    from collections.abc import Generator

    from retspec.engine.protocol import Job, Message
    from retspec.engine.supervisor.worker_pool import Workers

MOST_RESTARTS = 3


def measure(job: Job, workers: Workers) -> Generator[Message]:
    """Yield the messages, with a `Finished` for every criterion of the plan; a second one replaces a discarded outcome.

    workers: the workers that measure. Closing the iterator ends a busy worker and everything that it started.

    Raises RetspecError if no worker can be started.
    """
    plan = job.plan
    if not plan.checks:
        return
    limit = plan.spec.run.timeout
    deadline = time.monotonic() + seconds(limit) if limit else float("inf")
    waiting = {step.criterion.id: None for step in plan.checks}
    last_end = ""
    for index in range(1 + MOST_RESTARTS):
        rest = msgspec.structs.replace(job, plan=plan.restricted_to(waiting), resumed=index > 0)
        attempt = Attempt(rest, workers, {RUN: deadline})
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

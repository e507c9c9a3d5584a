"""Measure in the process of the caller, where live objects are: the worker's own code, without its isolation.

Nothing here survives a crash, ends a measurement that hangs, or limits memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.engine.interrupts import raise_if_interrupted
from retspec.engine.protocol import Finished, Job, Printed, decode, decode_instruction, encode
from retspec.engine.worker.channel import record_of
from retspec.engine.worker.work import work
from retspec.records import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from retspec.engine.protocol import Message
    from retspec.plugins.catalog import Catalog


class _Enough(BaseException):
    """The run needs no more; not an Exception, so that no `except Exception` swallows it."""


class _Here:
    """Takes what a worker would send, at once, and a signal that asks the run to end."""

    def __init__(self, hear: Callable[[Message], bool]) -> None:
        self._hear = hear
        self.answered: set[str] = set()

    def send(self, message: Message) -> None:
        """Pass a message on; raises NoVerdict for one that is too large, Interrupted, and _Enough."""
        message = decode(record_of(message))
        raise_if_interrupted()
        if isinstance(message, Printed):  # what is printed is shown as it comes
            return
        if isinstance(message, Finished):
            self.answered.add(message.outcome.id)
        if not self._hear(message):
            raise _Enough


def measure_here(job: Job, catalog: Catalog, hear: Callable[[Message], bool]) -> None:
    """Measure a job and pass each message on, with a `Finished` for every criterion.

    hear: returns whether the run goes on.
    Raises Interrupted, when what is at work has come to its end.
    """
    here = _Here(hear)
    reason = "a measurement changed the model, which could not be put back as it was"
    received = decode_instruction(encode(job))  # as plain data, as in a worker
    if not isinstance(received, Job):
        raise TypeError(received)
    try:
        work(received, here, gathering=lambda *_plugins, **_options: catalog)
    except _Enough:
        return
    except SystemExit:
        reason = "the code under test ended the program (`sys.exit`)"
    for step in job.plan.checks:
        if step.criterion.id not in here.answered:
            hear(Finished(Outcome(id=step.criterion.id, failure=Verdict.CRASH, reason=reason)))

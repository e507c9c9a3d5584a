"""Measure: run a worker process, watch it, and turn everything that can happen to it into outcomes.

A worker that crashes, hangs or is killed costs the criteria that waited for it their verdict; a fresh worker takes the
rest, at most three times. The supervisor never waits for the end of a pipe, since children of the worker may hold it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from retspec.measure.process import WorkerProcess
from retspec.measure.protocol import Done, Environment, Finished, Job, Made, Progress, Started, decode
from retspec.records import Outcome, Verdict, seconds

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from retspec.measure.protocol import Message
    from retspec.records import Plan

MOST_RESTARTS = 3


def measure(plan: Plan, *, plugins: Sequence[str] = (), entry_points: bool = True) -> Generator[Message]:
    """Yield what happens, and exactly one `Finished` for every criterion of the plan.

    Closing the iterator ends the worker and everything that it started.
    """
    if not plan.checks:
        return
    limit = plan.spec.run.timeout
    deadline = time.monotonic() + seconds(limit) if limit else float("inf")
    waiting = {step.criterion.id: None for step in plan.checks}
    for _attempt in range(1 + MOST_RESTARTS):
        job = Job(plan=plan.restricted_to(waiting), plugins=tuple(plugins), entry_points=entry_points)
        attempt = _Attempt(job, deadline)
        for message in attempt.messages():
            if isinstance(message, Finished):
                del waiting[message.outcome.id]
            yield message
        if not waiting or not attempt.got_anywhere or time.monotonic() >= deadline:
            break
    reason = "the run's timeout is over" if time.monotonic() >= deadline else "the worker died too often"
    failure = Verdict.TIMEOUT if time.monotonic() >= deadline else Verdict.CRASH
    for name in waiting:
        yield Finished(Outcome(id=name, failure=failure, reason=reason))


@dataclass
class _Attempt:
    """One worker and what it was doing last."""

    job: Job
    deadline: float
    criterion: str | None = None
    criterion_deadline: float = float("inf")
    measurement: str | None = None
    started: float = field(default_factory=time.monotonic)
    got_anywhere: bool = False
    done: bool = False
    finished: set[str] = field(default_factory=set)

    def messages(self) -> Iterator[Message]:
        """Yield the worker's records, then an outcome for every criterion that its end decides."""
        with WorkerProcess(self.job) as process:
            while not self.done:
                line = process.read_line(min(self.deadline, self.criterion_deadline))
                if line is None:
                    break
                message = _decode(line)
                if message is None:
                    yield from self._fail(Verdict.CRASH, f"the worker sent a broken record: {line[:80]!r}", "")
                    return
                self._note(message)
                yield message
            if self.done:
                fault = process.finish()
                if fault:
                    yield Done((f"the worker measured everything, but {fault}",))
                return
            timed_out = process.is_alive
            fate = process.end()
        if timed_out:
            yield from self._time_out(fate.stderr)
        else:
            yield from self._fail(Verdict.CRASH, f"the worker {fate.cause}{self._while()}", fate.stderr)

    def _note(self, message: Message) -> None:
        if isinstance(message, Started):
            self.criterion, self.started = message.id, time.monotonic()
            self.criterion_deadline = self.started + self._timeout_of(message.id)
        elif isinstance(message, Finished):
            self.finished.add(message.outcome.id)
            self.criterion, self.measurement, self.got_anywhere = None, None, True
            self.criterion_deadline = float("inf")
        elif isinstance(message, Progress):
            self.measurement = message.key
        elif isinstance(message, Made):
            self.measurement = None
        elif isinstance(message, Environment):
            pass
        elif isinstance(message, Done):
            self.done = True

    def _timeout_of(self, name: str) -> float:
        limit = next(step.criterion.timeout for step in self.job.plan.checks if step.criterion.id == name)
        return float("inf") if limit is None else limit

    def _time_out(self, stderr: str) -> Iterator[Message]:
        own = f"the timeout of {self.criterion!r}"
        whose = "the run's timeout" if self.deadline <= self.criterion_deadline else own
        waited = time.monotonic() - self.started
        yield from self._fail(Verdict.TIMEOUT, f"{whose} was over after {waited:.3g} s{self._while()}", stderr)

    def _while(self) -> str:
        return f" while measuring {self.measurement!r}" if self.measurement else ""

    def _fail(self, failure: Verdict, reason: str, stderr: str) -> Iterator[Message]:
        """Yield an outcome for the criterion at work, and for those that wait for the same measurement.

        An end that strikes no criterion is a fault of the run.
        """
        struck = self._struck()
        if not struck:
            yield Done((f"{reason}, between two criteria or while it cleaned up",))
        for name in struck:
            self.got_anywhere = True
            self.finished.add(name)
            yield Finished(Outcome(id=name, failure=failure, reason=reason, trace=stderr))

    def _struck(self) -> list[str]:
        """The criteria that this end of the worker decides; all of them when it died before the first."""
        plan = self.job.plan
        every = [step.criterion.id for step in plan.checks]
        sharing = {
            name
            for step in plan.measurements
            if self.measurement in {step.key, *step.inputs.values()}
            for name in step.criteria
        }
        struck = every if self.criterion is None and not self.finished else {self.criterion, *sharing}
        return [name for name in every if name in struck and name not in self.finished]


def _decode(line: bytes) -> Message | None:
    try:
        return decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None

"""Supervise one worker from its start to its end, however it ends."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import msgspec

from retspec.engine.protocol import LARGEST, Done, Finished, Job, Made, Printed, Progress, Renew, Started, decode
from retspec.engine.supervisor.printings import Printings
from retspec.engine.supervisor.protocol_check import ProtocolCheck
from retspec.engine.supervisor.streams import MOST_ON_DISK, TAIL, FloodError
from retspec.records import DEEPEST, Outcome, Verdict, is_deep, seconds
from retspec.text.masking import Mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.engine.protocol import Message
    from retspec.engine.supervisor.worker_pool import Workers
    from retspec.engine.supervisor.worker_process import WorkerExit, WorkerProcess

TOO_DEEP = f"a record that is nested more than {DEEPEST} deep"
RUN, MEASUREMENT = "the run's timeout", "the timeout of a measurement"


@dataclass
class Attempt:
    """One worker, its deadlines, and what it was doing last."""

    job: Job
    workers: Workers
    deadlines: dict[str, float]
    """Name of each timeout to when it is over (monotonic clock)."""
    criterion: str | None = None
    measurement: str | None = None
    started: float = field(default_factory=time.monotonic)
    """When the worker was started or began its criterion."""
    measuring_since: float = 0.0
    got_anywhere: bool = False
    done: bool = False
    given_up: bool = False
    """Whether the worker left what is left to a fresh one."""
    end: str = ""
    finished: set[str] = field(default_factory=set)
    _granted: dict[str, float] = field(init=False)
    _protocol: ProtocolCheck = field(init=False)
    _printings: Printings = field(init=False)

    def __post_init__(self) -> None:
        self._protocol = ProtocolCheck(self.job.plan)
        limits = {step.criterion.id: step.criterion.timeout for step in self.job.plan.checks}
        self._granted = {name: float("inf") if limit is None else limit for name, limit in limits.items()}

    def messages(self) -> Iterator[Message]:
        """Yield the worker's messages, then an outcome for every criterion that its end decides."""
        with self.workers.worker_for(self.job) as process:
            self._printings = Printings(process.streams, self.job.plan)
            while not (self.done or self.given_up):
                try:
                    line = process.read_line(min(self.deadlines.values()))
                except FloodError:
                    yield from self._refuse(f"more than {MOST_ON_DISK // 2**30} GiB of output", is_lie=False)
                    return
                if line is None:
                    break
                message, broken = _decode(line)
                problem = self._protocol.objection(message) if message else broken
                if message is None or problem:
                    yield from self._refuse(problem, is_lie=message is not None)
                    return
                self._note(message)
                yield self._with_output(message)
            if self.given_up:
                return
            if self.done:
                yield from self._part_from(process)
                return
            timed_out = process.is_alive
            late = self._late() if timed_out else ""
            ended = process.end()
            self._printings.add_rest(self.measurement or "")
            yield from self._fail(Verdict.TIMEOUT, late, ended.stderr) if timed_out else self._crash(ended)

    def _with_output(self, message: Message) -> Message:
        """Return an outcome with what was printed by all that its criterion waited for; anything else as it is."""
        if not isinstance(message, Finished) or message.outcome.id not in self._granted:
            return message
        output = self._printings.of_criterion(message.outcome.id)
        return Finished(replace(message.outcome, output=output)) if output else message

    def _part_from(self, process: WorkerProcess) -> Iterator[Message]:
        """Release a worker that has done its job: keep it if another job may follow, else end it."""
        fault = "" if self.job.more else process.finish()
        if fault:
            yield Done((fault,))
        if process.read_line(deadline=time.monotonic()) is not None:
            yield from self._refuse("a record after the end", is_lie=True)
        elif self.job.more:
            self.workers.rest(process, self.job)

    def _note(self, message: Message) -> None:
        now = time.monotonic()
        match message:
            case Started(name):
                self.criterion, self.started = name, now
                self._printings.begin_criterion()
                self.deadlines[_timeout_of(name)] = now + self._granted[name]
            case Progress(key) if key != self.measurement:
                self.measurement, self.measuring_since = key, now
                limit = self.job.plan.spec.run.measurement_timeout
                self.deadlines[MEASUREMENT] = now + seconds(limit) if limit else float("inf")
            case Printed(source, stdout, stderr):
                self._printings.add(source, (stdout, stderr))
            case Made():
                self._end_measurement()
            case Finished(outcome):
                self._end_measurement()
                self.finished.add(outcome.id)
                self.deadlines.pop(_timeout_of(outcome.id), None)
                self.criterion, self.got_anywhere = None, True
            case Renew():
                self.given_up = self.got_anywhere = True
                self.end = "a measurement spoilt the model, which could not be built again as it was"
            case Done(modules=modules):
                self.done = True
                self.workers.modules.update(modules)

    def _end_measurement(self) -> None:
        self.measurement = None
        self.deadlines.pop(MEASUREMENT, None)

    def _late(self) -> str:
        """Return which timeout is over, in words: the one that was due first."""
        whose = min(self.deadlines, key=self.deadlines.__getitem__)
        waited = time.monotonic() - (self.measuring_since if whose == MEASUREMENT else self.started)
        return f"{whose} was over after {waited:.3g} s{self._while()}"

    def _while(self) -> str:
        return f" while measuring {self.measurement!r}" if self.measurement else ""

    def _crash(self, ended: WorkerExit) -> Iterator[Message]:
        failure, cause, limit = Verdict.CRASH, ended.cause, self.job.plan.spec.run.memory
        if ended.lacked_memory:
            failure, cause = Verdict.OUT_OF_MEMORY, f"ran out of memory and {cause}"
        # Libraries that run out of memory may crash without a message, so a limit is always mentioned.
        hint = f"; run.memory limits the worker to {limit}" if limit else ""
        yield from self._fail(failure, f"the worker {cause}{self._while()}{hint}", ended.stderr)

    def _refuse(self, problem: str, *, is_lie: bool) -> Iterator[Message]:
        """End with a record that cannot be read or is a lie; after a lie, discard the outcomes of this worker."""
        self.end = f"the worker sent {problem}"
        taken_back = sorted(self.finished) if is_lie else []
        if self.criterion is not None or not taken_back:
            yield from self._fail(Verdict.CRASH, self.end, "")
        reason = f"{self.end}; its outcomes are discarded"
        for name in taken_back:
            yield Finished(Outcome(id=name, failure=Verdict.CRASH, reason=reason))

    def _fail(self, failure: Verdict, reason: str, stderr: str) -> Iterator[Message]:
        """Yield an outcome for the current criterion, and for those that wait for the same measurement.

        An end that affects no criterion is a fault of the run.
        """
        self.end = reason
        struck, trace = self._struck(), Mask(self.job.plan.spec.secrets).last(stderr, TAIL)
        if not struck:
            yield Done((f"{reason}, between two criteria or while it cleaned up",))
        for name in struck:
            self.got_anywhere = True
            self.finished.add(name)
            outcome = Outcome(id=name, failure=failure, reason=reason, trace=trace)
            yield self._with_output(Finished(outcome))

    def _struck(self) -> list[str]:
        """Return the criteria that this end of the worker decides; all of them if it died before the first."""
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


def _timeout_of(criterion: str) -> str:
    return f"the timeout of {criterion!r}"


def _decode(line: bytes) -> tuple[Message | None, str]:
    """Return the message of a record, or None and what is wrong with it."""
    if len(line) > LARGEST:
        return None, f"a record of more than {LARGEST // 2**20} MiB"
    try:
        message = decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None, f"a broken record: {line[:80]!r}"
    except RecursionError:
        return None, TOO_DEEP
    return (None, TOO_DEEP) if is_deep(_content(message)) else (message, "")


def _content(message: Message) -> object:
    """Return what foreign code decides the shape of."""
    match message:
        case Made(measured):
            return measured.facts
        case Finished(outcome):
            return outcome.observed and outcome.observed.details
    return None

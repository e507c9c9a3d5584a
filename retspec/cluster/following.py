"""Follow the tasks of a run: ask the engine how far they are, take what their nodes wrote, and give up what is lost."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.cluster.attempts import attempts, refusal
from retspec.engine.interrupts import Interrupted, raise_if_interrupted
from retspec.engine.protocol import Done
from retspec.errors import EngineError
from retspec.executors import OUTPUT, Phase, State
from retspec.records import Verdict
from retspec.report.live import Waiting

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from retspec.cluster.node_results import Event, NodeResults
    from retspec.executors import Engine, Task

_TICK = 0.1
"""Seconds between two looks for a signal."""
_SHORTEST, _LONGEST, _GROWTH = 0.25, 10.0, 1.25
"""Seconds between two questions to the engine: the first and the longest; each is so many times the last."""
LATE = 20.0
"""Seconds that results may take to appear once their task has ended: disks that nodes share show files late."""
SILENCE = 600.0
"""Seconds without any answer of the engine after which its tasks are given up."""
_MOST_REASONS = 2
_WAITING = State(Phase.WAITING)
_UNKNOWN = State(Phase.ENDED, reason="the engine does not know the task any more")


@dataclass
class Followed:
    """A task, and what is known of it."""

    task: Task
    handle: str
    """Empty for one that is done already."""
    results: NodeResults
    state: State = _WAITING
    ended_at: float = 0.0

    @property
    def may_have_news(self) -> bool:
        """Whether a node may have written: while it waits for its first one, nothing is read."""
        return self.state.phase is not Phase.WAITING or bool(attempts(self.task.folder))


class Following:
    """The tasks of a run that have not ended, and the engine that has them.

    name: that of the engine, for messages.
    """

    def __init__(self, engine: Engine, name: str, tasks: Sequence[Followed]) -> None:
        self._engine, self._name = engine, name
        self._open = [*tasks]
        self._answered = time.monotonic()
        self._pause = _SHORTEST
        self._said = ""

    def events(self) -> Generator[Event]:
        """Yield what happens until every task has ended; closing it, or a signal, cancels those that have not.

        Raises Interrupted, and EngineError if the engine does not take the cancellation.
        """
        try:
            while self._open:
                silence = self._ask()
                yield from self._waiting()
                for each in [*self._open]:
                    yield from self._news_of(each, silence)
                self._wait()
        except Interrupted:
            if fault := self._cancel():
                yield self._open[0].results.first_cell, Done((fault,))
            for each in self._open:
                yield from each.results.news()
            raise
        except BaseException:
            if fault := self._cancel():
                raise EngineError(fault) from None
            raise

    def _waiting(self) -> Iterator[Event]:
        """Yield how many tasks run and wait, if that has changed; verdicts that came before are written by now."""
        running = sum(each.state.phase is Phase.RUNNING for each in self._open)
        waiting = [each for each in self._open if each.state.phase is Phase.WAITING]
        reasons = dict.fromkeys(each.state.reason for each in waiting if each.state.reason)
        why = f" ({', '.join([*reasons][:_MOST_REASONS])})" if reasons else ""
        rest = f", {len(waiting)} waiting{why}" if waiting else ""
        said = f"{self._name}: {running} {'task' if running == 1 else 'tasks'} at work{rest}"
        yield self._open[0].results.first_cell, Waiting("" if said == self._said else said)
        self._said = said

    def _cancel(self) -> str:
        """Cancel what has not ended; return what is left behind, if the engine does not take it."""
        handles = [each.handle for each in self._open if each.handle]
        try:
            self._engine.cancel(handles)
        except EngineError as error:
            return f"{self._name} may still have {len(handles)} tasks of this run: {one_line(str(error))}"
        return ""

    def _ask(self) -> str:
        """Ask how far the tasks are; return why they are given up, once there was no answer for too long."""
        handles = [each.handle for each in self._open if each.handle]
        try:
            states = self._engine.states(handles) if handles else {}
        except EngineError as error:
            is_long = time.monotonic() - self._answered > SILENCE
            silence = f"{self._name} has not answered for {SILENCE / 60:.0f} minutes: {one_line(str(error))}"
            return silence if is_long else ""
        self._answered = time.monotonic()
        for each in self._open:
            each.state = states.get(each.handle, _UNKNOWN)
        return ""

    def _news_of(self, each: Followed, silence: str) -> Iterator[Event]:
        waiting = len(each.results.waiting)
        if each.state.phase is Phase.RUNNING:
            yield from each.results.begin()
        if each.may_have_news:
            yield from each.results.news()
        if silence or self._is_over(each):
            self._open.remove(each)
            yield from each.results.end(*_why(each, self._name, silence))
        elif waiting == len(each.results.waiting):
            return
        self._pause = _SHORTEST  # something happened: more may follow soon

    def _is_over(self, each: Followed) -> bool:
        """Whether nothing more can come: the task has ended, and what it wrote had the time to appear."""
        if each.state.phase is not Phase.ENDED:
            each.ended_at = 0.0
            return False
        each.ended_at = each.ended_at or time.monotonic()
        is_late = time.monotonic() - each.ended_at > LATE
        return is_late or each.results.is_complete or bool(refusal(each.task.folder))

    def _wait(self) -> None:
        end = time.monotonic() + (self._pause if self._open else 0)
        self._pause = min(self._pause * _GROWTH, _LONGEST)
        while (left := end - time.monotonic()) > 0:
            raise_if_interrupted()
            time.sleep(min(_TICK, left))
        raise_if_interrupted()


def _why(each: Followed, name: str, silence: str) -> tuple[Verdict, str]:
    """Return as what the criteria of a task fail that no node has answered, and why."""
    where = f" on {each.state.where}" if each.state.where else ""
    if silence:
        return Verdict.NOT_RUN, silence
    if sentence := refusal(each.task.folder):
        return Verdict.ERROR, f"{name}{where}: {one_line(sentence)}"
    started = bool(attempts(each.task.folder))
    reason = each.state.reason or "the task ended without a result for it"
    failure = Verdict.CRASH if started else Verdict.NOT_RUN
    last = _last_line(each)
    return failure, f"{name}{where}: {reason}" + (f"; its output ends with: {last}" if last else "")


def _last_line(each: Followed) -> str:
    """Return the end of what the command printed, if the engine keeps that in the folder of the task."""
    with suppress(OSError):
        for line in reversed((each.task.folder / OUTPUT).read_text(errors="replace")[-4000:].splitlines()):
            if line.strip():
                return one_line(line)[:300]
    return ""

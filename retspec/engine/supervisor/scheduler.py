"""Run several jobs: each lane does one job after another, and several lanes work in parallel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from enum import Enum, auto
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from retspec.engine.protocol import Done
from retspec.engine.supervisor.supervise import measure
from retspec.engine.supervisor.worker_pool import Workers, kind_of
from retspec.engine.supervisor.worker_process import Stopped

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from retspec.engine.protocol import Job, Message

    Event = tuple[int, "Turn | Message"]
    """The index of a job, and what happened to it."""


class Turn(Enum):
    """Marks the beginning and the end of a job's messages; with several lanes, those of other jobs come between."""

    BEGINS = auto()
    ENDS = auto()


def measure_all(jobs: Sequence[Job], workers: Workers, *, lanes: int = 1) -> Generator[Event]:
    """Yield the events of every job; jobs that can share a base model, or at least a worker, follow one another.

    workers: those of the first lane. lanes: how many jobs are done at a time.

    Closing the iterator ends every worker. Raises RetspecError if no worker can be started, and Interrupted.
    """
    crews = [workers, *(workers.another() for _ in range(lanes - 1))]
    waiting = _Waiting(jobs)
    with closing(_lane(waiting, workers) if lanes == 1 else _side_by_side(waiting, crews)) as events:
        yield from events


@dataclass(frozen=True)
class _Taken:
    """A job that a lane has taken, and what it can share with the next one."""

    index: int
    job: Job
    base: object
    kind: object


class _Waiting:
    """The jobs that no lane has taken yet."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        numbered = enumerate(jobs)
        self._waiting = {index: _Taken(index, job, job.plan.spec.base, kind_of(job)) for index, job in numbered}
        self._bases_in_use: set[object] = set()
        self._lock = Lock()

    def take(self, last: _Taken | None) -> _Taken | None:
        """Return the best job for a lane to do after its last one; None if none is left."""
        with self._lock:
            if not self._waiting:
                return None
            chosen = min(self._waiting.values(), key=lambda each: self._costs(each, last))  # the first of equals
            del self._waiting[chosen.index]
            self._bases_in_use.add(chosen.base)
            return replace(chosen, job=msgspec.structs.replace(chosen.job, more=bool(self._waiting)))

    def _costs(self, each: _Taken, last: _Taken | None) -> tuple[bool, ...]:
        """Return whether a job needs a new base, whether a new worker, and whether another lane uses its base."""
        return (
            last is None or last.base != each.base,
            last is None or last.kind != each.kind,
            each.base in self._bases_in_use,
        )


def _lane(waiting: _Waiting, workers: Workers) -> Generator[Event]:
    taken = waiting.take(None)
    while taken:
        index = taken.index
        yield index, Turn.BEGINS
        with closing(measure(taken.job, workers)) as messages:
            yield from ((index, message) for message in messages)
        taken = waiting.take(taken)
        if taken is None and (fault := workers.finish()):  # another lane took the job that should have followed
            yield index, Done((fault,))
        yield index, Turn.ENDS


def _side_by_side(waiting: _Waiting, crews: Sequence[Workers]) -> Generator[Event]:
    """Supervise each lane in a thread of its own, and yield the events of all of them from this thread."""
    heard: SimpleQueue[Event | BaseException | None] = SimpleQueue()
    with ThreadPoolExecutor(len(crews)) as threads:
        try:
            for crew in crews:
                threads.submit(_listen, waiting, crew, heard)
            yield from _in_turn(heard, len(crews))
        finally:
            for crew in crews:
                crew.stop()


def _listen(waiting: _Waiting, crew: Workers, heard: SimpleQueue[Event | BaseException | None]) -> None:
    try:
        with closing(crew), closing(_lane(waiting, crew)) as events:
            for event in events:
                heard.put(event)
        heard.put(None)
    except Stopped:
        return
    except BaseException as error:  # noqa: BLE001 - raised again in the thread of the run
        heard.put(error)


def _in_turn(heard: SimpleQueue[Event | BaseException | None], lanes: int) -> Iterator[Event]:
    while lanes:
        what = heard.get()
        if what is None:
            lanes -= 1
        elif isinstance(what, BaseException):
            raise what
        else:
            yield what

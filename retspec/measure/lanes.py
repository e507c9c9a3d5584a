"""Several jobs in one run: a lane does one after another, and several lanes work side by side."""

from __future__ import annotations

import threading
from contextlib import closing
from enum import Enum, auto
from queue import SimpleQueue
from typing import TYPE_CHECKING

import msgspec

from retspec.measure.flow import measure
from retspec.measure.process import Stopped
from retspec.measure.protocol import Done
from retspec.measure.workers import Workers, kind_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from retspec.measure.protocol import Job, Message


class Turn(Enum):
    """What stands before and after the messages of a job; with several lanes, others stand between them too."""

    BEGINS = auto()
    ENDS = auto()


if TYPE_CHECKING:
    Event = tuple[int, Turn | Message]
    """What happens, with the index of the job that it is about."""


def measure_all(jobs: Sequence[Job], workers: Workers, *, lanes: int = 1) -> Generator[Event]:
    """Yield what happens to every job; those that can share a base model, or at least a worker, follow one another.

    workers: of the first lane. lanes: how many jobs are done at a time.

    Closing the iterator ends every worker. Raises RetspecError when none can be started, and Interrupted.
    """
    crews = [workers, *(Workers() for _ in range(lanes - 1))]
    waiting = _Waiting(jobs)
    with closing(_lane(waiting, workers) if lanes == 1 else _side_by_side(waiting, crews)) as events:
        yield from events


class _Waiting:
    """The jobs that nobody does yet; several lanes take from it."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = dict(enumerate(jobs))
        self._bases_in_use: set[object] = set()
        self._lock = threading.Lock()

    def take(self, last: Job | None) -> tuple[int, Job] | None:
        """Return the job that a lane had best do after its last one, with its index; None when none is left."""
        with self._lock:
            if not self._jobs:
                return None
            index = min(self._jobs, key=lambda index: self._costs(self._jobs[index], last))  # the first of equals
            job = self._jobs.pop(index)
            self._bases_in_use.add(job.plan.spec.base)
            return index, msgspec.structs.replace(job, more=bool(self._jobs))

    def _costs(self, job: Job, last: Job | None) -> tuple[bool, ...]:
        """Return what would have to be made anew: the base model, the worker; and whether a lane has that base."""
        base = job.plan.spec.base
        return (
            last is None or last.plan.spec.base != base,
            last is None or kind_of(last) != kind_of(job),
            base in self._bases_in_use,
        )


def _lane(waiting: _Waiting, workers: Workers) -> Generator[Event]:
    taken = waiting.take(None)
    while taken:
        index, job = taken
        yield index, Turn.BEGINS
        with closing(measure(job, workers)) as messages:
            yield from ((index, message) for message in messages)
        taken = waiting.take(job)
        if taken is None and (fault := workers.finish()):  # another lane took what should have followed
            yield index, Done((fault,))
        yield index, Turn.ENDS


def _side_by_side(waiting: _Waiting, crews: Sequence[Workers]) -> Generator[Event]:
    """Let a thread supervise each lane; what they hear is passed on by this one alone."""
    heard: SimpleQueue[Event | BaseException | None] = SimpleQueue()
    threads = [threading.Thread(target=_listen, args=(waiting, crew, heard)) for crew in crews]
    for thread in threads:
        thread.start()
    try:
        yield from _in_turn(heard, len(threads))
    finally:
        for crew in crews:
            crew.stop()
        for thread in threads:
            thread.join()


def _listen(waiting: _Waiting, crew: Workers, heard: SimpleQueue[Event | BaseException | None]) -> None:
    try:
        with closing(crew), closing(_lane(waiting, crew)) as events:
            for event in events:
                heard.put(event)
        heard.put(None)
    except Stopped:
        return
    except BaseException as error:  # noqa: BLE001 - raised where the run is
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

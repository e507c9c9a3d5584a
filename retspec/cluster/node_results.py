"""What the nodes of a task have written, as the events that a worker on this machine would have sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.cluster.attempts import RESULTS, answered, attempts, read_results
from retspec.engine.protocol import Finished
from retspec.engine.supervisor import Turn
from retspec.records import Outcome
from retspec.report.live import Located
from retspec.review.recorded.judging import outcome_of
from retspec.review.recorded.taking_up import messages_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from retspec.engine.protocol import Message
    from retspec.records import Report, Verdict
    from retspec.report.live import Elsewhere

    Event = tuple[int, Turn | Message | Elsewhere]
    """The index of a cell, and what happened to it."""


class NodeResults:
    """The results of one task, read again whenever a node has written.

    criteria: the index of each criterion's cell in the run, by the name of the cell and the id of the criterion.
    """

    def __init__(self, folder: Path, criteria: Mapping[tuple[str, str], int]) -> None:
        self._folder = folder
        self._cells = {cell: index for (cell, _), index in criteria.items()}
        self.waiting = dict(criteria)
        """The criteria without a result yet."""
        self._seen: dict[Path, tuple[int, int]] = {}
        self._begun: set[int] = set()
        self._unheard: list[Event] = []

    @property
    def first_cell(self) -> int:
        """The index of its first cell."""
        return min(self._cells.values())

    @property
    def is_complete(self) -> bool:
        """Whether every criterion has a result."""
        return not self.waiting

    def begin(self) -> Iterator[Event]:
        """Yield the beginning of its cells, once: a node has the task."""
        for index in dict.fromkeys(self._cells.values()):
            yield from self._begin(index)

    def read(self) -> None:
        """Read what was written before; `news` yields it."""
        self._unheard += [*self._written()]

    def news(self) -> Iterator[Event]:
        """Yield what was written since the last time; an attempt that cannot be read yet is tried again."""
        unheard, self._unheard = self._unheard, []
        yield from unheard
        yield from self._written()

    def _written(self) -> Iterator[Event]:
        for attempt in attempts(self._folder):
            try:
                found = (attempt / RESULTS).stat()
            except OSError:
                continue
            mark = found.st_mtime_ns, found.st_size
            if self._seen.get(attempt) != mark and (report := read_results(attempt)) is not None:
                self._seen[attempt] = mark
                for part in report.parts:
                    yield from self._of_part(part)

    def _of_part(self, part: Report) -> Iterator[Event]:
        index = self._cells.get(part.cell)
        found = [result for _, result in answered(part) if (part.cell, result.criterion.id) in self.waiting]
        if index is None or not (found or part.faults):
            return
        yield from self._begin(index)
        yield index, Located(part.provenance, part.seconds)
        for result in found:
            del self.waiting[part.cell, result.criterion.id]
        yield from ((index, message) for message in messages_of(part, map(outcome_of, found)))

    def end(self, failure: Verdict, reason: str) -> Iterator[Event]:
        """Yield the end of the task: no verdict for the criteria that no node has answered."""
        for (_, criterion), index in self.waiting.items():
            yield from self._begin(index)
            yield index, Finished(Outcome(id=criterion, failure=failure, reason=reason))
        self.waiting.clear()
        yield from self.begin()
        yield from ((index, Turn.ENDS) for index in dict.fromkeys(self._cells.values()))

    def _begin(self, index: int) -> Iterator[Event]:
        if index not in self._begun:
            self._begun.add(index)
            yield index, Turn.BEGINS

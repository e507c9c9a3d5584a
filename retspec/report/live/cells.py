"""The cells of a run: each is a plan to measure, and the place in a live report where its results go."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from retspec.engine.interrupts import Interrupted, interruptible, raise_if_interrupted
from retspec.engine.protocol import Done, Environment, Job, Made, Progress
from retspec.engine.supervisor import Turn
from retspec.report.live.board import Board
from retspec.report.live.opening import opening

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from retspec.engine.protocol import Message
    from retspec.plugins.catalog import Catalog
    from retspec.records import Criterion, Plan, Result


@dataclass(frozen=True)
class LiveCell:
    """A plan, and its part of the live report."""

    plan: Plan
    catalog: Catalog
    board: Board
    index: int
    """Of its part in the report."""

    @property
    def job(self) -> Job:
        """What a worker has to do."""
        return Job(plan=self.plan, plugins=self.catalog.named, entry_points=self.catalog.entry_points)

    @cached_property
    def criteria(self) -> dict[str, Criterion]:
        """The criteria that run, by id."""
        return {step.criterion.id: step.criterion for step in self.plan.checks}

    def add(self, result: Result) -> None:
        """Put a verdict into the report."""
        self.board.turn_to(self.index)
        self.board.add(result)

    def note(self, event: Turn | Message) -> None:
        """Keep everything but verdicts: when the cell began and ended, facts, progress, faults."""
        board = self.board
        board.turn_to(self.index)
        match event:
            case Turn.BEGINS:
                board.begin()
            case Made(measured):
                board.sheet.note(measured)
            case Environment(facts):
                board.sheet.note_environment(facts)
            case Progress(key, step, total):
                board.tell("progress", measurement=key, step=step, total=total)
            case Done(faults):
                board.sheet.fault(*faults)
            case Turn.ENDS:
                board.end()


def live_cells(
    prepared: Sequence[tuple[Sequence[Plan], Catalog]], files: Sequence[Mapping[str, str | Path]], *, strict: bool
) -> list[LiveCell]:
    """Return the cells of all specs, in order; those of one spec share a report.

    files: for each spec, the name of a format to the path of its file.
    """
    return [
        LiveCell(plan, catalog, board, index)
        for (plans, catalog), paths in zip(prepared, files, strict=True)
        for board in [_board(plans, catalog, paths, strict=strict)]
        for index, plan in enumerate(plans)
    ]


def _board(plans: Sequence[Plan], catalog: Catalog, files: Mapping[str, str | Path], *, strict: bool) -> Board:
    openings = [opening(plan, catalog, strict=strict) for plan in plans]
    secrets = {secret for plan in plans for secret in plan.spec.secrets}
    return Board(openings, catalog, files, secrets=secrets)


@contextmanager
def reporting(cells: Sequence[LiveCell]) -> Iterator[list[Board]]:
    """Open the reports of these cells, and close them however the run ends; a signal ends it in good order.

    Raises ReportError when a file cannot be written.
    """
    boards = [*dict.fromkeys(cell.board for cell in cells)]
    try:
        with interruptible():
            for board in boards:
                board.open()
            _announce(cells, boards)
            yield boards
            for board in boards:
                board.close()
            raise_if_interrupted()
    except Interrupted as interruption:
        for board in [board for board in boards if not board.is_closed] or boards[-1:]:
            board.close(interrupted=interruption.number)


def _announce(cells: Sequence[LiveCell], boards: Sequence[Board]) -> None:
    for cell in cells:
        cell.board.tell("spec_loaded", spec=cell.plan.spec)
    for board in boards:
        board.tell("run_started", report=board.report)

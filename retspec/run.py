"""THE FLOW, on one screen: load → validate → plan → measure → judge → report."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Unpack

from retspec.engine.interrupts import Interrupted, interruptible, raise_if_interrupted
from retspec.engine.protocol import Done, Environment, Finished, Job, Made, Progress
from retspec.engine.supervisor import Turn, Workers, libraries_for, measure_all
from retspec.judge import judge, utc_today
from retspec.plugins.catalog import gather
from retspec.prepare import Preparing, prepare_all
from retspec.report.live import Board, opening
from retspec.subjects.devices import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from retspec.engine.protocol import Message
    from retspec.plugins.catalog import Catalog
    from retspec.records import Criterion, Plan, Report, Result
    from retspec.spec.document import Document


def run(  # noqa: PLR0913 - keywords, as the command line has options
    spec: str | Path,
    *,
    cells: Sequence[str] = (),
    overrides: Sequence[str] = (),
    plugins: Sequence[str] = (),
    entry_points: bool = True,
    select: Sequence[str] = (),
    tags: Sequence[str] = (),
    skip: Sequence[str] = (),
    fail_fast: bool = False,
    strict: bool = False,
    today: date | None = None,
    jobs: int = 1,
    reports: Mapping[str, str | Path] | None = None,
    observers: Sequence[object] = (),
) -> Report:
    """Run a spec and return its report, which knows its `exit_code`.

    spec: path of the YAML file; a matrix in it makes a report with `cells`.
    cells: patterns of the names of cells.
    overrides: `path=value`, as in `model.lora.r=16`; the value is read as YAML.
    plugins: files or modules to load beside those that the spec names and those that are installed (`entry_points`).
    select, skip: patterns of criterion ids; tags: a criterion is selected when it has one of them.
    fail_fast: end after the first criterion that is not met. strict: warnings make the exit code 1.
    today: the day (UTC) that waivers are held against; the real one unless it is given.
    jobs: how many cells are measured at a time, each in a worker of its own, with its share of the cores.
    reports: name of a report format to the path of its file, such as {"junit": "junit.xml"}.
    observers: objects with hook implementations (`retspec.plugin.HookSpecs`) that watch the run.

    Raises SpecError, PluginError, UsageError, NothingSelected before anything runs, ReportError for a file that cannot
    be written. What happens while measuring is in the report.
    """
    (report,) = run_all(
        [spec],
        cells=cells,
        overrides=overrides,
        fail_fast=fail_fast,
        strict=strict,
        today=today,
        jobs=jobs,
        reports=[reports or {}],
        observers=observers,
        plugins=plugins,
        entry_points=entry_points,
        select=select,
        tags=tags,
        skip=skip,
    )
    return report


def run_all(  # noqa: PLR0913 - the same
    specs: Sequence[str | Path],
    *,
    cells: Sequence[str] = (),
    overrides: Sequence[str] = (),
    fail_fast: bool = False,
    strict: bool = False,
    today: date | None = None,
    jobs: int = 1,
    reports: Sequence[Mapping[str, str | Path]],
    observers: Sequence[object] = (),
    **options: Unpack[Preparing],
) -> list[Report]:
    """Run several specs and return their reports, in the same order.

    Those that can share a worker, or even a base model, are measured one after another; `jobs` of all their cells at a
    time. reports: the files of each spec. For the rest, and for what is raised, see `run`.
    """
    options["gathering"] = cache(partial(options.get("gathering", gather), observers=observers))
    with closing(Workers()) as workers:
        announce = partial(_warm_up, workers)
        prepared = prepare_all(specs, cells=cells, overrides=overrides, announce=announce, **options)
        lanes = max(1, min(jobs, sum(len(plans) for plans, _ in prepared)))
        prepared = [(_divided(plans, lanes), catalog) for plans, catalog in prepared]
        boards = [_board(*each, files, strict=strict) for each, files in zip(prepared, reports, strict=True)]
        turns = [
            _Cell(plan, catalog, board, index)
            for (plans, catalog), board in zip(prepared, boards, strict=True)
            for index, plan in enumerate(plans)
        ]
        try:
            with interruptible():
                for board in boards:
                    board.open()
                _measure_and_judge(turns, workers, lanes, fail_fast=fail_fast, today=today or utc_today())
                for board in boards:
                    board.close()
                raise_if_interrupted()
        except Interrupted as interruption:
            for board in [board for board in boards if not board.is_closed] or boards[-1:]:
                board.close(interrupted=interruption.number)
        return [board.report for board in boards]


def _warm_up(workers: Workers, document: Document, gathered: Callable[[], Catalog]) -> None:
    """Let a worker import what the model will need while the spec is validated and planned."""
    if document.model_keys:
        workers.warm_up(lambda: libraries_for(document.model_keys, gathered().model_sources))


def _divided(plans: Sequence[Plan], lanes: int) -> list[Plan]:
    """Give each lane its share of the cores, where the spec does not say itself how many threads it wants."""
    share = max(1, cores() // lanes)
    return [plan if lanes == 1 or plan.spec.run.threads else plan.with_threads(share) for plan in plans]


def _board(plans: Sequence[Plan], catalog: Catalog, files: Mapping[str, str | Path], *, strict: bool) -> Board:
    openings = [opening(plan, catalog, strict=strict) for plan in plans]
    secrets = {secret for plan in plans for secret in plan.spec.secrets}
    return Board(openings, catalog, files, secrets=secrets)


@dataclass(frozen=True)
class _Cell:
    """A plan, and where its verdicts go."""

    plan: Plan
    catalog: Catalog
    board: Board
    index: int
    """On the board."""

    @property
    def job(self) -> Job:
        """What a worker is told to do."""
        return Job(plan=self.plan, plugins=self.catalog.named, entry_points=self.catalog.entry_points)

    @cached_property
    def criteria(self) -> dict[str, Criterion]:
        """The criteria that run, by id."""
        return {step.criterion.id: step.criterion for step in self.plan.checks}


def _measure_and_judge(cells: Sequence[_Cell], workers: Workers, lanes: int, *, fail_fast: bool, today: date) -> None:
    """Measure all cells, and put a verdict on their boards for every outcome as it arrives."""
    for cell in cells:
        cell.board.tell("spec_loaded", spec=cell.plan.spec)
    for board in dict.fromkeys(cell.board for cell in cells):
        board.tell("run_started", report=board.report)
    with closing(measure_all([cell.job for cell in cells], workers, lanes=lanes)) as events:
        for index, event in events:
            result = _note(cells[index], event, today)
            if fail_fast and result is not None and not result.verdict.is_accepted:
                return


def _note(cell: _Cell, event: Turn | Message, today: date) -> Result | None:
    """Put what happened to a cell on its board; return the result, if it is one."""
    board = cell.board
    board.turn_to(cell.index)
    match event:
        case Turn.BEGINS:
            board.begin()
        case Finished(outcome):
            result = judge(cell.criteria[outcome.id], outcome, today=today)
            board.add(result)
            return result
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
    return None

"""THE FLOW, on one screen: load → validate → plan → measure → judge → report."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, TypedDict, Unpack

from retspec.catalog import Catalog, gather
from retspec.interrupts import Interrupted, interruptible, raise_if_interrupted
from retspec.judge import judge, utc_today
from retspec.load import load, load_cells, plugins_of
from retspec.measure import Workers, measure
from retspec.measure.protocol import Done, Environment, Finished, Made, Progress
from retspec.plan import make_plan, select_cells
from retspec.report import Board, opening
from retspec.validate import validate_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from retspec.document import Document
    from retspec.measure.protocol import Message
    from retspec.records import Plan, Report


class Preparing(TypedDict, total=False):
    """What shapes a plan: keywords, as the command line has options.

    plugins: files or modules to load beside those that the spec names and those that are installed (`entry_points`).
    select, skip: patterns of criterion ids; tags: a criterion is selected when it has one of them.
    observers: objects with hook implementations.
    gathering: `gather`, or one that remembers, for several specs under the same plugins.
    """

    plugins: Sequence[str]
    entry_points: bool
    select: Sequence[str]
    tags: Sequence[str]
    skip: Sequence[str]
    observers: Sequence[object]
    gathering: Callable[..., Catalog]


def prepare(spec: str | Path, *, overrides: Sequence[str] = (), **options: Unpack[Preparing]) -> tuple[Plan, Catalog]:
    """Load, validate and plan, without measuring anything.

    Raises SpecError, PluginError, UsageError or NothingSelected.
    """
    (plan,), catalog = _planned([load(spec, overrides)], **options)
    return plan, catalog


def prepare_cells(
    spec: str | Path, *, cells: Sequence[str] = (), overrides: Sequence[str] = (), **options: Unpack[Preparing]
) -> tuple[list[Plan], Catalog]:
    """Load, validate and plan every cell of a spec's matrix; without a matrix, the spec itself.

    cells: patterns of the names of cells; a cell is selected when it matches one of them.
    Raises what `prepare` raises; a problem that several cells share is told once.
    """
    return _planned(select_cells(load_cells(spec, overrides), cells), **options)


def _planned(  # noqa: PLR0913 - the keywords of `Preparing`
    documents: Sequence[Document],
    *,
    plugins: Sequence[str] = (),
    entry_points: bool = True,
    select: Sequence[str] = (),
    tags: Sequence[str] = (),
    skip: Sequence[str] = (),
    observers: Sequence[object] = (),
    gathering: Callable[..., Catalog] = gather,
) -> tuple[list[Plan], Catalog]:
    named = (*plugins_of(documents[0]), *plugins)
    catalog = gathering(named, entry_points=entry_points, observers=tuple(observers))
    specs = validate_cells(documents, catalog)
    return [make_plan(each, catalog, select=select, tags=tags, skip=skip) for each in specs], catalog


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
    reports: name of a report format to the path of its file, such as {"junit": "junit.xml"}.
    observers: objects with hook implementations (`retspec.plugin.HookSpecs`) that watch the run.

    Raises SpecError, PluginError, UsageError, NothingSelected before anything runs, ReportError for a file that cannot
    be written. What happens while measuring is in the report.
    """
    plans, catalog = prepare_cells(
        spec,
        cells=cells,
        overrides=overrides,
        plugins=plugins,
        entry_points=entry_points,
        select=select,
        tags=tags,
        skip=skip,
        observers=observers,
    )
    openings = [opening(plan, catalog, strict=strict) for plan in plans]
    secrets = {secret for plan in plans for secret in plan.spec.secrets}
    board = Board(openings, catalog, reports or {}, secrets=secrets)
    try:
        with interruptible():
            board.open()
            _measure_and_judge(plans, catalog, board, fail_fast=fail_fast, today=today or utc_today())
            report = board.close()
            raise_if_interrupted()
            return report
    except Interrupted as interruption:
        return board.close(interrupted=interruption.number)


def _measure_and_judge(plans: Sequence[Plan], catalog: Catalog, board: Board, *, fail_fast: bool, today: date) -> None:
    """Measure cell after cell, with workers that know what the last one left; judge what comes of it."""
    for plan in plans:
        board.tell("spec_loaded", spec=plan.spec)
    board.tell("run_started", report=board.report)
    with closing(Workers()) as workers:
        for index, plan in enumerate(plans):
            board.turn_to(index)
            more = index < len(plans) - 1
            messages = measure(plan, workers, plugins=catalog.named, entry_points=catalog.entry_points, more=more)
            with closing(messages):
                is_over = _judge(plan, messages, board, fail_fast=fail_fast, today=today)
            if is_over:
                break
            board.sheet.end()


def _judge(plan: Plan, messages: Iterable[Message], board: Board, *, fail_fast: bool, today: date) -> bool:
    """Put a verdict on the board for every outcome as it arrives; True as soon as the run has failed fast."""
    criteria = {step.criterion.id: step.criterion for step in plan.checks}
    for message in messages:
        match message:
            case Finished(outcome):
                result = judge(criteria[outcome.id], outcome, today=today)
                board.add(result)
                if fail_fast and not result.verdict.is_accepted:
                    return True
            case Made(measured):
                board.sheet.note(measured)
            case Environment(facts):
                board.sheet.note_environment(facts)
            case Progress(key, step, total):
                board.tell("progress", measurement=key, step=step, total=total)
            case Done(faults):
                board.sheet.fault(*faults)
    return False

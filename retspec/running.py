"""THE FLOW, on one screen: load → validate → plan → measure → judge → report."""

from __future__ import annotations

from contextlib import closing, nullcontext
from functools import cache, partial
from typing import TYPE_CHECKING, Unpack

from retspec.errors import UsageError
from retspec.judge import judge, utc_today
from retspec.plugins.catalog import gather
from retspec.prepare import Preparing, prepare_all, share_cores
from retspec.records import LOCAL, Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from retspec.cluster.node_results import Event
    from retspec.engine.protocol import Message
    from retspec.engine.supervisor import Turn, Workers
    from retspec.plugins.catalog import Catalog
    from retspec.records import Report
    from retspec.report.kept import Keeps
    from retspec.report.live import Elsewhere, LiveCell
    from retspec.spec.document import Document
    from retspec.spec.load import SpecGiven


def run(  # noqa: PLR0913 - keywords, as the command line has options
    spec: SpecGiven,
    *,
    cells: Sequence[str] = (),
    overrides: Sequence[str] = (),
    seeds: int | None = None,
    plugins: Sequence[str] = (),
    entry_points: bool = True,
    select: Sequence[str] = (),
    tags: Sequence[str] = (),
    skip: Sequence[str] = (),
    fail_fast: bool = False,
    strict: bool = False,
    today: date | None = None,
    jobs: int = 1,
    live_output: bool = False,
    reports: Mapping[str, str | Path] | None = None,
    observers: Sequence[object] = (),
) -> Report:
    """Run a spec and return its report, which has the `exit_code`.

    spec: path of the YAML file, or a mapping of what it would hold; with a matrix, the report has `cells`.
    cells: patterns of cell names; a cell is selected if it matches one of them.
    overrides: `path=value`, as in `model.lora.r=16`; the value is read as YAML.
    seeds: how many seeds, from `run.seed` on, what depends on the seed is measured under; `run.seed_count` by default.
    plugins: files or modules to load, in addition to those that the spec names and the installed ones (`entry_points`).
    select, skip: patterns of criterion ids. tags: a criterion is selected if it has one of them.
    fail_fast: end after the first criterion that is neither met nor accepted. strict: warnings make the exit code 1.
    today: the day (UTC) on which waivers are judged; the current day by default.
    jobs: how many cells are measured at a time, each in its own worker with its share of the cores.
    live_output: show what the code under test prints on stderr as it comes, and keep none of it.
    reports: name of a report format to the path of its file, such as {"junit": "junit.xml"}.
    observers: objects with hook implementations (`retspec.plugin.HookSpecs`) that watch the run.

    Raises SpecError, PluginError, UsageError or NothingSelected before anything runs, and ReportError for a file that
    cannot be written. Whatever happens while measuring is in the report.
    """
    (report,) = run_all(
        [spec],
        cells=cells,
        overrides=overrides,
        seeds=seeds,
        fail_fast=fail_fast,
        strict=strict,
        today=today,
        jobs=jobs,
        live_output=live_output,
        reports=[reports or {}],
        observers=observers,
        plugins=plugins,
        entry_points=entry_points,
        select=select,
        tags=tags,
        skip=skip,
    )
    return report


def with_seeds(overrides: Sequence[str], seeds: int | None) -> Sequence[str]:
    """Return the overrides, and what sets `run.seed_count`; raises UsageError for what is no number of seeds."""
    if seeds is None:
        return overrides
    if seeds < 1:
        raise UsageError(f"seeds= takes a number of at least 1; found {seeds}")
    return (*overrides, f"run.seed_count={seeds}")


def run_all(  # noqa: PLR0913 - the same
    specs: Sequence[SpecGiven],
    *,
    cells: Sequence[str] = (),
    overrides: Sequence[str] = (),
    seeds: int | None = None,
    fail_fast: bool = False,
    strict: bool = False,
    today: date | None = None,
    jobs: int = 1,
    live_output: bool = False,
    reports: Sequence[Mapping[str, str | Path]],
    observers: Sequence[object] = (),
    kept: Keeps | None = None,
    workers: Workers | None = None,
    here: bool = False,
    resume: bool = False,
    **options: Unpack[Preparing],
) -> list[Report]:
    """Run several specs and return their reports, in the same order.

    Specs that can share a worker or a base model are measured one after another. jobs: how many cells of all specs are
    measured at a time. reports: the files of each spec. kept: the folders of the specs, which have the reports that are
    not named, and what was found last time. workers: those that measure, if one of them has been prepared; they are
    closed. here: measure on this machine, whatever the specs name. resume: take up the run of the same specs on a
    cluster, or here, that was ended. For the other arguments, and for what is raised, see `run`.
    """
    # Most programs that import retspec start no worker. They start faster if the code for workers is imported here.
    from retspec.cluster.batch import Batch, Given
    from retspec.engine.rounds import Rounds
    from retspec.engine.supervisor import Workers, measure_all
    from retspec.report.live import live_cells, reporting, require_no_fuller
    from retspec.review.recorded.taking_up import TakenUp

    def announce(document: Document, gathered: Callable[[], Catalog]) -> None:
        if here or document.executor == LOCAL:
            crew.warm_up_for(document, gathered)

    options["gathering"] = cache(partial(options.get("gathering", gather), observers=observers))
    today = today or utc_today()
    overrides = with_seeds(overrides, seeds)
    asked = _asked(cells, overrides, kept, options)
    with closing(workers or Workers(live_output=live_output)) as crew, kept or nullcontext():
        # load → validate → plan; meanwhile a worker imports what the model will need
        prepared = prepare_all(specs, cells=cells, overrides=overrides, announce=announce, **options)
        prepared = kept.chosen(prepared) if kept else prepared
        is_here = here or all(plan.spec.run.executor == LOCAL for plans, _ in prepared for plan in plans)
        prepared, lanes = share_cores(prepared, jobs) if is_here else (prepared, jobs)
        require_no_fuller(prepared, reports)
        ended = kept.ended(prepared) if resume and kept and is_here else [None] * len(prepared)  # not written over yet
        files = kept.files(prepared, reports) if kept else reports
        live = live_cells(
            prepared,
            files,
            strict=strict,
            asked=asked,
            named=[*map(frozenset, reports)],
            proofs=kept.proofs() if kept else None,
        )
        measured: Generator[Event]
        if is_here:
            of_cells = [report for (plans, _), report in zip(prepared, ended, strict=True) for _ in plans]
            taken = TakenUp([cell.job for cell in live], of_cells)
            rounds = Rounds(taken.jobs)
            measured = taken.before(rounds.folded(measure_all(rounds.jobs, crew, lanes=lanes)))  # measure
        else:
            given = Given(overrides, options.get("plugins", ()), entry_points=options.get("entry_points", True))
            batch = Batch([(cell.plan, cell.catalog) for cell in live], given, least=jobs)
            measured = batch.events(resume=resume)
        with reporting(live) as live_reports, closing(measured) as events:
            for index, event in events:
                if not hear(live[index], event, today=today, fail_fast=fail_fast):
                    break
    return [live_report.report for live_report in live_reports]


def hear(cell: LiveCell, event: Turn | Message | Elsewhere, *, today: date, fail_fast: bool) -> bool:
    """Judge and report what happened to a cell; return whether the run goes on."""
    from retspec.engine.protocol import Finished

    if not isinstance(event, Finished):
        cell.note(event)
        return True
    result = judge(cell.criteria[event.outcome.id], event.outcome, today=today)  # judge
    cell.add(result)  # report
    return result.verdict.is_accepted or not fail_fast


def _asked(cells: Sequence[str], overrides: Sequence[str], kept: Keeps | None, options: Preparing) -> Asked:
    """Return what the options ask for beside the specs, as the report records it."""
    return Asked(
        select=tuple(options.get("select", ())),
        tags=tuple(options.get("tags", ())),
        skip=tuple(options.get("skip", ())),
        cells=tuple(cells),
        last_failed=kept is not None and kept.last_failed,
        overrides=tuple(overrides),
    )

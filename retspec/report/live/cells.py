"""The cells of a run: each has a plan to measure, and a part of a live report for its results."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from retspec.engine.interrupts import Interrupted, interruptible, raise_if_interrupted
from retspec.engine.protocol import Done, Environment, Importing, Job, Made, Noted, Pictured, Progress
from retspec.engine.supervisor import Turn
from retspec.report.live.live_report import LiveReport
from retspec.report.live.opening import openings
from retspec.report.live.overwriting import folders_of, read_by, require_apart, written_by
from retspec.results.prediction_hashes import prediction_hashes, reads_predictions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from retspec.engine.protocol import Message
    from retspec.plugins.catalog import Catalog
    from retspec.records import Asked, Criterion, Measured, Plan, Proof, Provenance, Result
    from retspec.report.live.live_report import LivePart


@dataclass(frozen=True)
class Located:
    """The cell is measured on another machine: what the report of that one says of itself."""

    provenance: Provenance
    seconds: float


@dataclass(frozen=True)
class Waiting:
    """The run waits for other machines; the text says for which, and is empty if that is as before."""

    reason: str


_UNPLANTED = "the fault of `run.fault` was planted nowhere: nothing that was measured reads what it changes"
Elsewhere = Located | Waiting
"""What happens to a cell that is measured on another machine only."""


@dataclass(frozen=True)
class LiveCell:
    """A plan, and its part of the live report."""

    plan: Plan
    catalog: Catalog
    live: LiveReport
    index: int
    """Index of its part in the report."""

    @property
    def job(self) -> Job:
        """The job that a worker does for it."""
        return Job(plan=self.plan, plugins=self.catalog.named, entry_points=self.catalog.entry_points)

    @cached_property
    def criteria(self) -> dict[str, Criterion]:
        """The criteria that run, by id."""
        return {step.criterion.id: step.criterion for step in self.plan.checks}

    def add(self, result: Result) -> None:
        """Add a verdict to the report."""
        self.live.turn_to(self.index)
        self.live.add(result)

    def note(self, event: Turn | Message | Elsewhere) -> None:
        """Record everything but verdicts: when the cell began and ended, facts, progress, faults."""
        live = self.live
        live.turn_to(self.index)
        match event:
            case Turn.BEGINS:
                live.begin()
            case Made(measured):
                live.part.note(measured)
                live.part.note_predictions(self._hashes_after(measured))
            case Importing(library):
                live.notify("importing", library=library)
            case Progress(key, step, total):
                live.notify("progress", measurement=key, step=step, total=total)
            case Waiting(""):
                live.catch_up()
            case Waiting(reason):
                live.notify("waiting", reason=reason)
            case Turn.ENDS:
                live.end()
            case _:
                _record(live.part, event)

    def _hashes_after(self, measured: Measured) -> Mapping[str, str]:
        """Return the hashes of files of predictions, if the measurement has just read or made them."""
        return prediction_hashes(self.plan, made=True) if reads_predictions(self.plan, measured.key) else {}


def _record(part: LivePart, event: Message | Elsewhere) -> None:
    """Record facts and faults."""
    match event:
        case Noted(notes):
            part.add_notes(*notes)
        case Pictured(pictures):
            part.show(pictures)
        case Environment(facts):
            part.note_environment(facts)
        case Located(provenance, seconds):
            part.note_place(provenance, seconds)
        case Done(faults, unplanted=unplanted):
            part.fault(*faults, *([_UNPLANTED] if unplanted else []))


def live_cells(
    prepared: Sequence[tuple[Sequence[Plan], Catalog]],
    files: Sequence[Mapping[str, str | Path]],
    *,
    strict: bool,
    asked: Asked | None = None,
    named: Sequence[Collection[str]] | None = None,
    proofs: Sequence[Proof | None] | None = None,
) -> list[LiveCell]:
    """Return the cells of all specs, in order; those of one spec share a report.

    files: for each spec, the name of a format to the path of its file. asked: what the options of the run asked for.
    named: for each spec, the formats that somebody asked for; all by default. proofs: for each spec, what is known.
    Raises UsageError if a file would replace another one, or one that the run reads.
    """
    plans = [plan for plans, _ in prepared for plan in plans]
    plugins = [catalog.named for _, catalog in prepared]
    outputs = [path for paths in files for path in paths.values()]
    outputs += [path for plan in plans for path in written_by(plan)]
    require_apart(outputs, [plugins, *(read_by(plan.spec) for plan in plans)], folders_of(plans))
    return [
        LiveCell(plan, catalog, live, index)
        for (plans, catalog), paths, formats, proof in zip(
            prepared, files, named or files, proofs or [None] * len(files), strict=True
        )
        for opened in [openings(plans, catalog, strict=strict, asked=asked, proof=proof)]
        for live in [LiveReport(opened, catalog, paths, secrets=_secrets(plans), named=formats)]
        for index, plan in enumerate(plans)
    ]


def _secrets(plans: Sequence[Plan]) -> set[str]:
    return {secret for plan in plans for secret in plan.spec.secrets}


@contextmanager
def reporting(cells: Sequence[LiveCell]) -> Iterator[list[LiveReport]]:
    """Open the reports of these cells, and close them however the run ends; a signal ends it cleanly.

    Raises ReportError if a file cannot be written.
    """
    live_reports = [*dict.fromkeys(cell.live for cell in cells)]
    try:
        with interruptible():
            for live in live_reports:
                live.open()
            _announce(cells, live_reports)
            yield live_reports
            for live in live_reports:
                live.close()
            raise_if_interrupted()
    except Interrupted as interruption:
        for live in [live for live in live_reports if not live.is_closed] or live_reports[-1:]:
            live.close(interrupted=interruption.number)


def _announce(cells: Sequence[LiveCell], live_reports: Sequence[LiveReport]) -> None:
    for cell in cells:
        cell.live.notify("spec_loaded", spec=cell.plan.spec)
    for live in live_reports:
        live.notify("run_started", report=live.report)

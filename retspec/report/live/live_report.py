"""The report of a run in progress."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from retspec.plugins.notifying import notify
from retspec.records import MOST_PICTURES
from retspec.report.live.opening import composed
from retspec.report.live.quick_page import PAGE, is_quick
from retspec.report.live.writing import destinations, remove, write_reports
from retspec.text.masking import Mask

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from retspec.plugins.catalog import Catalog
    from retspec.records import Measured, Picture, Provenance, Report, Result

MOST_OF_THE_TIME = 10
"""A file is rewritten after this many times the duration of the last write, so that writing takes little of a run."""
AT_ONCE = 0.02
"""Seconds up to which a write is not worth waiting for."""

MOST_NOTES = 100
"""Notes that a report keeps: those of a source are a handful."""


class LivePart:
    """The report of one spec, or of one cell of its matrix, while the run is in progress."""

    def __init__(self, report: Report, mask: Mask) -> None:
        self._mask = mask
        self._report = mask.report(report)
        self._results = {result.criterion.id: result for result in self._report.results}
        self._begun = time.monotonic()
        self.is_running = False
        self._is_elsewhere = False
        self._took: float | None = None

    @property
    def report(self) -> Report:
        """The report as it is now."""
        return replace(self._report, results=tuple(self._results.values()))

    @property
    def name(self) -> str:
        """The name of the report."""
        return self._report.name

    def begin(self) -> None:
        """Start the clock; others may have run before."""
        self._begun, self.is_running = time.monotonic(), True

    def add(self, result: Result) -> None:
        """Replace the result of a criterion by its verdict."""
        self._results[result.criterion.id] = result

    def note(self, measured: Measured) -> None:
        """Record the facts of a measurement; they replace those of an earlier worker."""
        measured = self._mask.measured(measured)
        others = tuple(old for old in self._report.measurements if old.key != measured.key)
        self._report = replace(self._report, measurements=(*others, measured))

    def note_environment(self, facts: Mapping[str, str]) -> None:
        """Record the device, threads and file hashes that the worker measured with."""
        provenance = replace(
            self._report.provenance,
            device=facts["device"],
            threads=int(facts["threads"]),
            checkpoint_sha256=facts.get("checkpoint_sha256", ""),
            adapter_sha256=facts.get("adapter_sha256", ""),
        )
        self._locate(provenance)

    def note_place(self, provenance: Provenance, took: float) -> None:
        """Record on which machine it was measured, with all that is known of it; several are listed.

        took: seconds on the last of them.
        """
        self._took = took
        before = self._report.provenance
        hosts = [*before.hostname.split(", "), provenance.hostname] if self._is_elsewhere else [provenance.hostname]
        self._is_elsewhere = True
        found = replace(
            provenance,
            hostname=", ".join(dict.fromkeys(hosts)),
            spec_sha256=before.spec_sha256,  # the limits of the node's copy are not those that are judged by
            checkpoint_sha256=provenance.checkpoint_sha256 or before.checkpoint_sha256,
            adapter_sha256=provenance.adapter_sha256 or before.adapter_sha256,
        )
        self._locate(found)

    def _locate(self, provenance: Provenance) -> None:
        before = self._report.provenance
        for file in ("checkpoint", "adapter"):
            known, found = (getattr(facts_then, f"{file}_sha256") for facts_then in (before, provenance))
            if known not in {"", found}:  # a new worker has read it again
                self.fault(f"the {file} changed during the run: some verdicts are about its old content")
        self._report = replace(self._report, provenance=provenance)

    def note_predictions(self, found: Mapping[str, str]) -> None:
        """Record the hashes of files of predictions that a measurement has just read or made."""
        before = self._report.provenance
        for file, sha256 in found.items():
            if before.predictions_sha256.get(file, sha256) != sha256:
                self.fault(f"{file} changed during the run: some verdicts are about its old content")
        hashes = {**before.predictions_sha256, **found}
        self._report = replace(self._report, provenance=replace(before, predictions_sha256=hashes))

    def fault(self, *faults: str) -> None:
        """Record what went wrong with the run itself; repeated faults are kept once."""
        masked = map(self._mask.text, faults)
        self._report = replace(self._report, faults=tuple(dict.fromkeys((*self._report.faults, *masked))))

    def add_notes(self, *notes: str) -> None:
        """Record what a reader should know whatever was asked; repeated notes are kept once, and a flood is cut off."""
        masked = map(self._mask.text, notes)
        self._report = replace(self._report, notes=tuple(dict.fromkeys((*self._report.notes, *masked)))[:MOST_NOTES])

    def show(self, pictures: tuple[Picture, ...]) -> None:
        """Record pictures of the data; they replace those of an earlier worker."""
        self._report = replace(self._report, pictures=tuple(map(self._mask.picture, pictures[:MOST_PICTURES])))

    def end(self, *, interrupted: int = 0) -> None:
        """Record how long it took, and the signal that ended it."""
        took = time.monotonic() - self._begun if self._took is None else self._took
        self._report = replace(self._report, interrupted=interrupted, seconds=took)
        self.is_running = False


class LiveReport:
    """The reports of a spec in progress, one for each cell; writes the files and notifies the observers.

    named: the formats that somebody asked for; all by default. A page that nobody asked for is left out where it would
    take long.
    """

    def __init__(
        self,
        openings: Sequence[Report],
        catalog: Catalog,
        paths: Mapping[str, str | Path],
        *,
        secrets: Iterable[str] = (),
        named: Collection[str] | None = None,
    ) -> None:
        self._mask = Mask(secrets)
        self._parts = [LivePart(report, self._mask) for report in openings]
        self.part = self._parts[0]
        self._hooks = catalog.hooks.hook
        self._files = destinations(paths, catalog)
        self._named = paths.keys() if named is None else named
        self._begun = time.monotonic()
        self._waiting = len(openings)
        self._write_again_at = 0.0
        self._is_behind = False
        self._final: Report | None = None

    @property
    def report(self) -> Report:
        """The report as it is now."""
        parts = [part.report for part in self._parts]
        return self._final or composed(parts, seconds=time.monotonic() - self._begun)

    @property
    def is_closed(self) -> bool:
        """Whether the files have been written for the last time."""
        return self._final is not None

    def open(self) -> None:
        """Write the files for the first time, before anything is measured, so that a wrong path fails here."""
        self._write()

    def turn_to(self, index: int) -> None:
        """Direct what follows to the cell of that index."""
        self.part = self._parts[index]

    def begin(self) -> None:
        """Start the clock of the cell, and with the first cell that of the run."""
        if self._waiting == len(self._parts):
            self._begun = time.monotonic()
        self._waiting -= 1
        self.part.begin()

    def end(self) -> None:
        """Stop the clock of the cell; the last one to end closes the report."""
        self.part.end()
        if not self._waiting and not any(part.is_running for part in self._parts):
            self.close()

    def add(self, result: Result) -> None:
        """Replace the result of a criterion by its verdict, and notify the observers."""
        result = self._mask.result(result)
        self.part.add(result)
        self.notify("criterion_finished", result=result)
        self._is_behind = True
        self.catch_up()

    def close(self, *, interrupted: int = 0) -> Report:
        """Write the files for the last time and return the report; a closed report changes only if it is interrupted.

        interrupted: the signal that ended the running cells; if none is running, that of the current cell.
        """
        if self._final and not interrupted:
            return self._final
        for part in [part for part in self._parts if part.is_running] or ([self.part] if interrupted else []):
            part.end(interrupted=interrupted)
        self._final = None
        self._write()
        before = self.part.report.faults
        self.notify("run_finished", report=self.report)
        if self.part.report.faults != before:
            # An observer has just failed, and the files must not be greener than the report.
            self._write()
        self._final = self.report
        return self._final

    def notify(self, event: str, **facts: Any) -> None:
        """Notify every observer; one that fails is a fault of the run, but neither ends it nor stops the others."""
        facts["name"] = self.part.name
        notify(self._hooks, event, {name: self._mask.data(fact) for name, fact in facts.items()}, self.part.fault)
        self.catch_up()

    def catch_up(self) -> None:
        """Write what the files lack, unless the last write was a moment ago; a long measurement may begin now."""
        if self._is_behind and time.monotonic() >= self._write_again_at:
            self._write()

    def _write(self) -> None:
        started = time.monotonic()
        report = self.report
        left_out = {PAGE} - {*self._named} if not is_quick(report) else {*()}
        write_reports(report, [(reporter, path) for reporter, path in self._files if reporter.name not in left_out])
        for path in [path for reporter, path in self._files if reporter.name in left_out]:
            remove(path)
        took = time.monotonic() - started
        self._write_again_at = time.monotonic() + (MOST_OF_THE_TIME * took if took > AT_ONCE else 0)
        self._is_behind = False

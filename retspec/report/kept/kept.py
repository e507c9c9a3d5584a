"""The report folders of a run: chosen once it is planned, claimed before anything is written, with their histories."""

from __future__ import annotations

import os
import shlex
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self, TypeVar

from retspec.characters import one_line
from retspec.report.kept.changes import since_last_time
from retspec.report.kept.folder import REPORTS, USUAL, folders_for
from retspec.report.kept.history import History, Run
from retspec.report.kept.last_failed import without_met
from retspec.report.kept.noise import within_noise_of
from retspec.report.live.fuller import is_partial
from retspec.report.live.overwriting import folders_of, read_by, require_apart
from retspec.report.live.quick_page import BAR, PAGE, is_quick

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from retspec.plugins.catalog import Catalog
    from retspec.records import Plan, Proof, Report
    from retspec.report.kept.folder import ReportFolder

    Prepared = Sequence[tuple[Sequence[Plan], Catalog]]

T = TypeVar("T")


class Kept:
    """The folders of several specs during one run of them.

    specs: their paths. writes: whether the reports that every run writes are wanted. last_failed: select only criteria
    that were not met last time. below: the folder of all reports.
    """

    def __init__(
        self, specs: Sequence[Path], *, writes: bool = True, last_failed: bool = False, below: Path = REPORTS
    ) -> None:
        self.last_failed = last_failed
        self.written: list[dict[str, str | Path]] = []
        """The reports of each spec, by format."""
        self._writes = writes
        self._named: Sequence[Mapping[str, str | Path]] = [{} for _ in specs]
        self.remarks: list[list[str]] = [[] for _ in specs]
        """What a reader should know of each spec's folder, in lines."""
        self._folders = folders_for(specs, below)
        self._places: list[Path] = []
        self._partial: list[bool] = []
        self._used: list[bool] = []
        self._histories = [History(folder.history) for folder in self._folders]
        self._claims = ExitStack()

    def chosen(self, prepared: Prepared) -> list[tuple[list[Plan], Catalog]]:
        """Return the plans of what this run measures."""
        if not self.last_failed:
            return [([*plans], catalog) for plans, catalog in prepared]
        found = []
        for index, (plans, catalog) in enumerate(prepared):
            chosen, remark = without_met(plans, self._runs(index))
            self.remarks[index] += remark
            found.append((chosen, catalog))
        return found

    def ended(self, prepared: Prepared) -> list[Report | None]:
        """Return the report of the last run of each spec, where that run ended early; otherwise, say so."""
        found: list[Report | None] = []
        for index, (plans, _) in enumerate(prepared):
            report = self._folders[index].last_results(partial=any(map(is_partial, plans)))
            is_over = report is None or not report.ended_early
            if is_over:
                self.remarks[index].append("--resume: no run of this spec has ended early, so everything was measured")
            found.append(None if is_over else report)
        return found

    def proofs(self) -> list[Proof | None]:
        """Return what `retspec prove` has found about each spec; None where there is nothing, or it is damaged."""
        return [folder.last_proof() for folder in self._folders]

    def files(self, prepared: Prepared, named: Sequence[Mapping[str, str | Path]]) -> list[dict[str, str | Path]]:
        """Claim the folders, and return the reports of each spec by format: the usual and the named ones.

        Raises UsageError if one of them, or what is written beside them, is a file that the run reads, and ReportError
        if a folder cannot be made.
        """
        self._partial = [any(map(is_partial, plans)) for plans, _ in prepared]
        self._used = [self._writes and not given.keys() >= USUAL.keys() for given in named]
        places = [folder.place(partial=partial) for folder, partial in self._each(self._partial)]
        self._require_apart(self._in(places, named), prepared)
        for index, folder in enumerate(self._folders):
            if self._used[index]:
                places[index] = self._claims.enter_context(folder.claimed(partial=self._partial[index]))
                if places[index] == folder.path:
                    folder.keep_previous()
        self.written, self._places, self._named = self._in(places, named), places, named
        self._require_apart(self.written, prepared)
        return self.written

    def _in(self, places: Sequence[Path], named: Sequence[Mapping[str, str | Path]]) -> list[dict[str, str | Path]]:
        usual = USUAL if self._writes else {}
        return [
            {**{name: place / file for name, file in usual.items()}, **given}
            for place, given in zip(places, named, strict=True)
        ]

    def _require_apart(self, files: Sequence[Mapping[str, str | Path]], prepared: Prepared) -> None:
        own = [path for folder, used in self._each(self._used) if used for path in folder.own_files()]
        plans = [plan for plans, _ in prepared for plan in plans]
        read = [[catalog.named for _, catalog in prepared], *(read_by(plan.spec) for plan in plans)]
        require_apart([*own, *(path for each in files for path in each.values())], read, folders_of(plans))

    def _each(self, values: Sequence[T]) -> Iterator[tuple[ReportFolder, T]]:
        return zip(self._folders, values, strict=True)

    def __enter__(self) -> Self:
        """Do nothing yet: the folders are claimed once the run is planned."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the folders."""
        self._claims.close()

    def remark(self, reports: Sequence[Report]) -> None:
        """Add to the remarks what changed since the last whole run, where its results are, and what was not written."""
        for index, report in enumerate(reports):
            self.remarks[index] += self._about_page(index, report)
            if self._used[index]:
                folder, history = self._folders[index], self._histories[index]
                run = Run.of(report, _name_of(folder))
                self.remarks[index] += since_last_time(self._runs(index), run)
                self.remarks[index] += within_noise_of(self._runs(index), run, report)
                self.remarks[index] += _about_place(folder, self._places[index], report)
                self.remarks[index] += [f"note: {one_line(sentence)}" for sentence in history.broken]

    def _about_page(self, index: int, report: Report) -> Iterator[str]:
        """Yield how to get the page, and take it from the written ones, where it was left out."""
        written = self.written[index]
        if PAGE in written and PAGE not in self._named[index] and not is_quick(report):
            page, results = (shlex.quote(str(path)) for path in (written.pop(PAGE), written["json"]))
            yield f"no HTML report, which would take more than {BAR} s; write it: retspec report {results} -o {page}"

    def record(self, reports: Sequence[Report]) -> None:
        """Add the reports to the histories; raises ReportError if one cannot be written."""
        for folder, history, report, used in zip(self._folders, self._histories, reports, self._used, strict=True):
            if used:
                history.append(Run.of(report, _name_of(folder)))

    def _runs(self, index: int) -> list[Run]:
        """Return the earlier runs of this spec; another one of the same name may have had the folder before."""
        name = _name_of(self._folders[index])
        return [run for run in self._histories[index].runs if run.spec == name]


def _name_of(folder: ReportFolder) -> str:
    return os.path.relpath(os.path.realpath(folder.spec))


def _about_place(folder: ReportFolder, place: Path, report: Report) -> Iterator[str]:
    """Yield why the reports are not in the usual place, and where the results of the whole are."""
    if report.is_partial:
        kept = (folder.path / USUAL["json"]).exists()
        yield f"partial run{f': the reports of the whole spec are still in {folder.path}' if kept else ''}"
    if place != folder.place(partial=report.is_partial):
        yield f"another run was writing to {folder.place(partial=report.is_partial)}, so these reports are in {place}"
    elif place == folder.path and not report.is_whole and folder.previous.exists():
        yield f"the run ended early: the last whole results are in {folder.previous}"

"""Report: hold the verdicts as they arrive, and keep the files on disk complete at every moment.

Every criterion stands in the report from the start as "not run", and files are replaced whole: a run that is killed
leaves complete, red reports behind.
"""

from __future__ import annotations

import errno
import os
import platform
import socket
import subprocess
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.catalog import versions
from retspec.errors import ReportError, UsageError, describe, did_you_mean
from retspec.identity import subject_of, subject_sha256
from retspec.judge import not_run, skipped
from retspec.masking import Mask
from retspec.records import Provenance, Report, Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from retspec.catalog import Catalog
    from retspec.kinds import Reporter
    from retspec.records import Measured, Plan, Spec

MOST_OF_THE_TIME = 10
"""A file is rewritten when this many times as long as the last writing took is over: writing stays a small part."""

MOST_OF_A_NAME = 200
"""Characters that the name of a temporary file takes over from its report: with more it could be too long itself."""


class Sheet:
    """The report of one spec, or of one cell of its matrix, while it grows."""

    def __init__(self, report: Report, mask: Mask) -> None:
        self._mask = mask
        self._report = mask.report(report)
        self._results = {result.criterion.id: result for result in self._report.results}
        self._clock = time.monotonic()

    @property
    def report(self) -> Report:
        """The report as it stands."""
        return replace(self._report, results=tuple(self._results.values()))

    def begin(self) -> None:
        """Start the clock: a later cell waits for the others."""
        self._clock = time.monotonic()

    def add(self, result: Result) -> None:
        """Put a verdict in the place of its criterion."""
        self._results[result.criterion.id] = result

    def note(self, measured: Measured) -> None:
        """Keep the facts of a measurement; a fresh worker may have made it again."""
        measured = self._mask.measured(measured)
        others = tuple(old for old in self._report.measurements if old.key != measured.key)
        self._report = replace(self._report, measurements=(*others, measured))

    def note_environment(self, facts: Mapping[str, str]) -> None:
        """Keep where the worker measured."""
        threads = int(facts["threads"])
        before = self._report.provenance
        provenance = replace(
            before,
            device=facts["device"],
            threads=threads,
            checkpoint_sha256=facts.get("checkpoint_sha256", ""),
            adapter_sha256=facts.get("adapter_sha256", ""),
        )
        for file in ("checkpoint", "adapter"):
            known, found = (getattr(facts_then, f"{file}_sha256") for facts_then in (before, provenance))
            if known not in {"", found}:  # a fresh worker has read it again
                self.fault(f"the {file} changed during the run: some verdicts are about its old content")
        self._report = replace(self._report, provenance=provenance)

    def fault(self, *faults: str) -> None:
        """Keep what went wrong with the run itself, each thing once."""
        masked = map(self._mask.text, faults)
        self._report = replace(self._report, faults=tuple(dict.fromkeys((*self._report.faults, *masked))))

    def end(self, *, interrupted: int = 0) -> None:
        """Keep how long it took, and the signal that ended it."""
        self._report = replace(self._report, interrupted=interrupted, seconds=time.monotonic() - self._clock)


class Board:
    """The report of a run while it grows, cell by cell; writes the files and tells the observers."""

    def __init__(
        self,
        openings: Sequence[Report],
        catalog: Catalog,
        paths: Mapping[str, str | Path],
        *,
        secrets: Iterable[str] = (),
    ) -> None:
        self._mask = Mask(secrets)
        self._sheets = [Sheet(report, self._mask) for report in openings]
        self.sheet = self._sheets[0]
        self._hooks = catalog.hooks.hook
        self._files = destinations(paths, catalog)
        self._clock = time.monotonic()
        self._write_again_at = 0.0

    @property
    def report(self) -> Report:
        """The report as it stands."""
        return composed([sheet.report for sheet in self._sheets], seconds=time.monotonic() - self._clock)

    def open(self) -> None:
        """Write the files for the first time, before anything is measured: a path that does not work is found here."""
        self._write()

    def turn_to(self, index: int) -> None:
        """Let what comes be about the cell of that index."""
        self.sheet = self._sheets[index]
        self.sheet.begin()

    def add(self, result: Result) -> None:
        """Put a verdict in the place of its criterion, and let everybody know."""
        result = self._mask.result(result)
        self.sheet.add(result)
        self.tell("criterion_finished", result=result)
        if time.monotonic() >= self._write_again_at:
            self._write()

    def close(self, *, interrupted: int = 0) -> Report:
        """Write the files for the last time and return the report."""
        self.sheet.end(interrupted=interrupted)
        self._write()
        before = len(self.sheet.report.faults)
        self.tell("run_finished", report=self.report)
        if len(self.sheet.report.faults) > before:
            # An observer failed just now, and the files must not be greener than the report.
            self._write()
        return self.report

    def tell(self, event: str, **facts: Any) -> None:
        """Tell every observer; one that fails is a fault of the run, never its end, and the others hear it too."""
        for hook in getattr(self._hooks, f"retspec_{event}").get_hookimpls():
            try:
                hook.function(*(self._mask.data(facts[name]) for name in hook.argnames))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's hook may raise anything
                self.sheet.fault(f"plugin {hook.plugin_name}: its hook retspec_{event} raised {describe(error)}")

    def _write(self) -> None:
        started = time.monotonic()
        write_reports(self.report, self._files)
        took = time.monotonic() - started
        self._write_again_at = time.monotonic() + MOST_OF_THE_TIME * took


def opening(plan: Plan, catalog: Catalog, *, strict: bool) -> Report:
    """Return the report of a run that has not begun: every criterion is "not run", or skipped by the spec."""
    spec = plan.spec
    results = [not_run(step.criterion, "the run ended before it was reached") for step in plan.checks]
    return Report(
        name=titled(spec),
        cell=spec.cell,
        file=spec.file,
        description=spec.description,
        started=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        results=in_order(plan, results),
        strict=strict,
        provenance=_provenance(plan, catalog),
    )


def composed(parts: Sequence[Report], *, seconds: float) -> Report:
    """Return the report of a run: the one that there is, or one that holds those of the cells of a matrix."""
    first = parts[0]
    if not first.cell:
        return first
    return Report(
        name=first.name.removesuffix(f"[{first.cell}]"),
        file=first.file,
        description=first.description,
        started=first.started,
        seconds=seconds,
        results=(),
        strict=first.strict,
        cells=tuple(parts),
    )


def titled(spec: Spec) -> str:
    """Return the name of a spec, in a matrix with that of the cell: `rank_sweep[r=8]`."""
    return f"{spec.name}[{spec.cell}]" if spec.cell else spec.name


def in_order(plan: Plan, results: Iterable[Result]) -> tuple[Result, ...]:
    """Return the results of a plan with those of the criteria that the spec skips, in the order of the spec."""
    found = {result.criterion.id: result for result in (*results, *map(skipped, plan.skipped))}
    return tuple(found[criterion.id] for criterion in plan.spec.criteria if criterion.id in found)


def destinations(paths: Mapping[str, str | Path], catalog: Catalog) -> list[tuple[Reporter, Path]]:
    """Return each report format with its file; raises UsageError for a format that there is not."""
    return [(reporter_named(name, catalog), Path(path)) for name, path in paths.items()]


def reporter_named(name: str, catalog: Catalog) -> Reporter:
    """Return a reporter of the catalog; raises UsageError when there is none of that name."""
    if name not in catalog.reporters:
        raise UsageError(
            f"there is no report format {name!r}{did_you_mean(name, catalog.reporters)}; "
            f"there are {', '.join(catalog.reporters)}"
        )
    return catalog.reporters[name]


def write_reports(report: Report, files: Iterable[tuple[Reporter, Path]]) -> None:
    """Write every file; one that cannot be written keeps no other from being whole and up to date.

    Raises ReportError when one cannot be written.
    """
    errors = []
    for reporter, path in files:
        try:
            write_whole(path, _rendered(reporter, report))
        except ReportError as error:
            errors.append(error)
    if errors:
        raise errors[0]


def _rendered(reporter: Reporter, report: Report) -> str:
    try:
        text: Any = reporter.render(report)
    except (Exception, SystemExit) as error:
        raise ReportError(f"cannot write the report: the format {reporter.name!r} raised {describe(error)}") from error
    if not isinstance(text, str):
        raise ReportError(
            f"cannot write the report: the format {reporter.name!r} returned {type(text).__name__}; "
            "a reporter returns text"
        )
    return text


def write_whole(path: Path, text: str) -> None:
    """Replace a file by new text in one step, so that no reader ever sees half of it.

    Raises ReportError when it cannot be written.
    """
    temporary = None
    try:
        target = _replaceable(path)
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:MOST_OF_A_NAME]}.")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(target)
    except OSError as error:
        raise ReportError(f"cannot write the report {path}: {error.strerror or error}") from error
    finally:  # after an interruption too
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _replaceable(path: Path) -> Path:
    """Return the file to replace, which is what a link leads to; its folder is made.

    Raises OSError for what is no file: root could replace `/dev/null` by a report.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a directory")
    if target.exists() and not target.is_file():
        raise FileExistsError(errno.EEXIST, "it is no regular file, and a report replaces its file whole")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
    return target


def _provenance(plan: Plan, catalog: Catalog) -> Provenance:
    run, subject = plan.spec.run, subject_of(plan.spec)
    return Provenance(
        spec_sha256=plan.spec.sha256,
        config_sha256=plan.spec.config.sha256 if plan.spec.config else "",
        subject=subject,
        subject_sha256=subject_sha256(subject),
        seed=run.seed,
        device=run.device,
        dtype=run.dtype or "as the model has it",
        threads=run.threads,
        git_commit=_git_commit(Path(plan.spec.file).parent),
        platform=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        hostname=socket.gethostname(),
        versions=versions(),
        plugins={plugin.name: plugin.version for plugin in catalog.plugins},
    )


def _git_commit(folder: Path) -> str:
    """Return the commit that the spec's folder is at, or an empty string outside a repository."""
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip()

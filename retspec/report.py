"""Report: hold the verdicts as they arrive, and keep the files on disk complete at every moment.

Every criterion stands in the report from the start as "not run", and files are replaced whole: a run that is killed
leaves complete, red reports behind.
"""

from __future__ import annotations

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
from retspec.judge import not_run, skipped
from retspec.records import Provenance, Report, Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retspec.catalog import Catalog
    from retspec.kinds import Reporter
    from retspec.records import Measured, Plan

MOST_OF_THE_TIME = 10
"""A file is rewritten when this many times as long as the last writing took is over: writing stays a small part."""


class Board:
    """The report of a run while it grows; writes the files and tells the observers."""

    def __init__(self, report: Report, catalog: Catalog, paths: Mapping[str, str | Path]) -> None:
        self.report = report
        self._hooks = catalog.hooks.hook
        self._files = [(reporter_named(name, catalog), Path(path)) for name, path in paths.items()]
        self._clock = time.monotonic()
        self._write_again_at = 0.0
        self._write()

    def add(self, result: Result) -> None:
        """Put a verdict in the place of its criterion."""
        results = tuple(result if old.criterion.id == result.criterion.id else old for old in self.report.results)
        self.report = replace(self.report, results=results)
        self.tell("criterion_finished", result=result)
        if time.monotonic() >= self._write_again_at:
            self._write()

    def note(self, measured: Measured) -> None:
        """Keep the facts of a measurement; a fresh worker may have made it again."""
        others = tuple(old for old in self.report.measurements if old.key != measured.key)
        self.report = replace(self.report, measurements=(*others, measured))

    def note_environment(self, facts: Mapping[str, str]) -> None:
        """Keep where the worker measured."""
        threads = int(facts["threads"])
        provenance = replace(self.report.provenance, device=facts["device"], threads=threads)
        self.report = replace(self.report, provenance=provenance)

    def fault(self, *faults: str) -> None:
        """Keep what went wrong with the run itself, each thing once."""
        self.report = replace(self.report, faults=tuple(dict.fromkeys((*self.report.faults, *faults))))

    def close(self, *, interrupted: int = 0) -> Report:
        """Write the files for the last time and return the report."""
        self.report = replace(self.report, interrupted=interrupted, seconds=time.monotonic() - self._clock)
        self._write()
        written = self.report
        self.tell("run_finished", report=written)
        if self.report is not written:  # an observer failed just now, and the files must not be greener than the report
            self._write()
        return self.report

    def tell(self, event: str, **facts: Any) -> None:
        """Tell every observer; one that fails is a fault of the run, never its end, and the others hear it too."""
        for hook in getattr(self._hooks, f"retspec_{event}").get_hookimpls():
            try:
                hook.function(*(facts[name] for name in hook.argnames))
            except Exception as error:  # noqa: BLE001 - a stranger's hook may raise anything
                self.fault(f"plugin {hook.plugin_name}: its hook retspec_{event} raised {describe(error)}")

    def _write(self) -> None:
        started = time.monotonic()
        for reporter, path in self._files:
            write_whole(path, _rendered(reporter, self.report))
        took = time.monotonic() - started
        self._write_again_at = time.monotonic() + MOST_OF_THE_TIME * took


def opening(plan: Plan, catalog: Catalog, *, strict: bool) -> Report:
    """Return the report of a run that has not begun: every criterion is "not run", or skipped by the spec."""
    spec = plan.spec
    results = [not_run(step.criterion, "the run ended before it was reached") for step in plan.checks]
    results += [skipped(criterion) for criterion in plan.skipped]
    order = {criterion.id: place for place, criterion in enumerate(spec.criteria)}
    return Report(
        name=spec.name,
        file=spec.file,
        description=spec.description,
        started=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        results=tuple(sorted(results, key=lambda result: order[result.criterion.id])),
        strict=strict,
        provenance=_provenance(plan, catalog),
    )


def reporter_named(name: str, catalog: Catalog) -> Reporter:
    """Return a reporter of the catalog; raises UsageError when there is none of that name."""
    if name not in catalog.reporters:
        raise UsageError(
            f"there is no report format {name!r}{did_you_mean(name, catalog.reporters)}; "
            f"there are {', '.join(catalog.reporters)}"
        )
    return catalog.reporters[name]


def _rendered(reporter: Reporter, report: Report) -> str:
    try:
        return reporter.render(report)
    except Exception as error:
        raise ReportError(f"cannot write the report: the format {reporter.name!r} raised {describe(error)}") from error


def write_whole(path: Path, text: str) -> None:
    """Replace a file by new text in one step, so that no reader ever sees half of it.

    Raises ReportError when it cannot be written.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(21, "it is a directory")
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        raise ReportError(f"cannot write the report {path}: {error.strerror or error}") from error
    finally:  # after an interruption too
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _provenance(plan: Plan, catalog: Catalog) -> Provenance:
    run = plan.spec.run
    return Provenance(
        spec_sha256=plan.spec.sha256,
        seed=run.seed,
        device=run.device,
        dtype=run.dtype,
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

"""Write files so that they are complete at every moment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.errors import ReportError, UsageError, describe, did_you_mean
from retspec.whole_files import replace_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from retspec.plugins.catalog import Catalog
    from retspec.plugins.kinds import Reporter
    from retspec.records import Report


def destinations(paths: Mapping[str, str | Path], catalog: Catalog) -> list[tuple[Reporter, Path]]:
    """Return each report format with its file; raises UsageError for an unknown format."""
    return [(reporter_named(name, catalog), Path(path)) for name, path in paths.items()]


def reporter_named(name: str, catalog: Catalog) -> Reporter:
    """Return the reporter of that name; raises UsageError if there is none."""
    if name not in catalog.reporters:
        raise UsageError(
            f"there is no report format {name!r}{did_you_mean(name, catalog.reporters)}; "
            f"there are {', '.join(catalog.reporters)}"
        )
    return catalog.reporters[name]


def write_reports(report: Report, files: Iterable[tuple[Reporter, Path]]) -> None:
    """Write every file, also after one that cannot be written.

    Raises ReportError if a file cannot be written.
    """
    errors = []
    for reporter, path in files:
        try:
            write_whole(path, rendered(reporter, report))
        except ReportError as error:
            errors.append(error)
    if errors:
        raise errors[0]


def rendered(reporter: Reporter, report: Report) -> str:
    """Return the report in a format; raises ReportError for a reporter that raises, or returns no text."""
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


def write_whole(path: Path, content: str | bytes, kind: str = "report") -> None:
    """Replace a file by new content in one step, so that readers never see half of it; its permissions stay.

    kind: the word for the file in messages. Raises ReportError if it cannot be written.
    """
    try:
        replace_whole(path, content)
    except OSError as error:
        raise ReportError(f"cannot write the {kind} {path}: {error.strerror or error}") from error


def remove(path: Path) -> None:
    """Remove a report that would be of earlier results, if it is there; raises ReportError if it cannot be removed."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ReportError(f"cannot remove the old report {path}: {error.strerror or error}") from error

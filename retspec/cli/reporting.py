"""Options for reports and printing them: shared by the commands that end in verdicts."""

from __future__ import annotations

import os
import sys
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retspec.characters import visible
from retspec.cli import completing
from retspec.cli.ci_log import write_commands
from retspec.cli.colour import paint
from retspec.cli.hyperlink import linked
from retspec.cli.screen import say
from retspec.errors import ReportError, UsageError
from retspec.report.formats.github import github
from retspec.report.formats.markdown import LARGEST, render_markdown
from retspec.report.formats.table import Top, fitted_ending, render_table
from retspec.report.live import summaries
from retspec.text.fitting import screen_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from retspec.records import Report


def report_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add `--junit-xml`, `--json` and `--report`; together they are `reports`, format to path."""

    @wraps(function)
    def merged(*args: Any, junit_xml: str | None, json_path: str | None, others: tuple[str, ...], **rest: Any) -> None:
        pairs = [*map(_format_and_path, others), ("junit", junit_xml), ("json", json_path)]
        named = {name: Path(path) for name, path in pairs if path is not None}
        function(*args, reports=named, **rest)

    junit = click.option(
        "--junit-xml", metavar="PATH", shell_complete=completing.files, help="Write the JUnit XML there."
    )
    json = click.option(
        "--json", "json_path", metavar="PATH", shell_complete=completing.files, help="Write results.json there."
    )
    other = click.option(
        "--report",
        "others",
        multiple=True,
        metavar="FORMAT=PATH",
        shell_complete=completing.formats,
        help="Write another report. Repeatable.",
    )
    return junit(json(other(merged)))


def show(
    report: Report,
    reports: Mapping[str, str | Path],
    *,
    verbose: bool,
    heading: bool = False,
    quiet: bool = False,
    remarks: Iterable[str] = (),
) -> None:
    """Print a report and where its files are; under GitHub Actions also annotations and the summary of the job.

    remarks: lines that follow. heading: begin with the file of the spec, and end with an empty line.
    quiet: print only what is not met, notes, and the last line.
    """
    if heading:
        click.echo(f"{report.file}\n")
    top = Top.NOTHING if quiet else Top.ROWS if verbose else Top.GRID
    click.echo(render_table(report, style=paint, verbose=verbose, width=screen_width(), top=top), nl=False)
    for name, path in () if quiet else reports.items():
        shown = linked(Path(path), sys.stdout) if name == "html" else visible(str(path))
        click.echo(f"{name}: {shown}", color=True)  # or click strips the link wherever it strips colours
    for remark in () if quiet else remarks:
        say(remark)
    if heading:
        click.echo()
    if os.environ.get("GITHUB_ACTIONS") == "true":
        write_commands(github(report))
        for summary in summaries():
            _append(summary, report)


def overview(reports: Sequence[Report]) -> str:
    """Return a line for each report: the file of its spec, the counts, the outcome."""
    return "\n".join(fitted_ending(report, paint, screen_width(), report.file) for report in reports)


def _append(path: Path, report: Report) -> None:
    """Append the Markdown to what earlier commands of the job's step wrote."""
    try:
        with open(path, "a", encoding="utf-8", errors="backslashreplace", opener=_at_once) as file:
            file.write(render_markdown(report, LARGEST - file.tell()))
    except OSError as error:
        raise ReportError(f"cannot write the summary {path}: {error.strerror}") from error


def _at_once(path: str, flags: int) -> int:
    """Open a file without waiting for anybody to read from it, as a pipe would."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _format_and_path(pair: str) -> tuple[str, str]:
    name, equals, path = pair.partition("=")
    if not (name and equals and path):
        raise UsageError(f"--report {pair}: write FORMAT=PATH, for example markdown=summary.md")
    return name, path

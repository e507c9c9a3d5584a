"""Annotations for GitHub Actions: workflow commands that show what is wrong at its line of the spec.

GitHub shows ten annotations of a kind per step: this writes the nine worst, and one that counts the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.plugin import reporter
from retspec.records import EXIT_NOTHING, Report, Result, Verdict
from retspec.report.formats.alike import by_cause
from retspec.report.formats.table import JUDGED_BAD, QUIET, WORST_FIRST
from retspec.text.relative_paths import from_root
from retspec.text.seeds import every_note
from retspec.text.wording import outcome, summary, troubles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.errors import Mark

_MOST = 9


@reporter
def github(report: Report) -> str:
    """Annotations for GitHub Actions: a workflow command per line; a notice where there is nothing to say."""
    commands = [*_commands(report)]
    if not commands:
        commands = [_command("notice", f"{report.name}: {outcome(report)[0]}", summary(report))]
    shown = commands if len(commands) <= _MOST + 1 else commands[:_MOST]
    if len(shown) < len(commands):
        shown = [*shown, _command("error", report.name, f"{len(commands) - _MOST} more; the reports have them all")]
    noted = [_command("notice", f"{report.name}: note", one_line(note)) for note in every_note(report)[:_MOST]]
    return "\n".join([*shown, *noted]) + "\n"


def _commands(report: Report) -> Iterator[str]:
    groups = by_cause(result for result in report.every_result if result.verdict not in QUIET)
    groups.sort(key=lambda results: WORST_FIRST.index(results[0].verdict))
    for text in troubles(report):
        yield _command("error", f"{report.name}: the run", one_line(text))
    if report.exit_code == EXIT_NOTHING:
        yield _command("error", report.name, "nothing was judged")
    for results in groups:
        yield _of_criteria(results, report)


def _of_criteria(results: list[Result], report: Report) -> str:
    first = results[0]
    names = ", ".join(result.criterion.name for result in results)
    lines = [one_line(first.reason)]
    if first.verdict in JUDGED_BAD:
        lines.append(one_line(first.criterion.advice))
    is_accepted = first.verdict is Verdict.WAIVED or (first.verdict is Verdict.WARNED and not report.strict)
    level = "warning" if is_accepted else "error"
    return _command(level, f"{names}: {first.verdict.value}", "\n".join(lines), first.criterion.mark)


def _command(level: str, title: str, message: str, mark: Mark | None = None) -> str:
    place = (
        {"file": from_root(mark.file), "line": str(mark.line), "col": str(mark.column)}
        if mark and mark.is_in_file
        else {}
    )
    properties = {**place, "title": one_line(title)[:_LONGEST_TITLE]}
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {written}::{_data(message)}"


_LONGEST_TITLE = 200


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

"""A Markdown summary for pull requests: every value and limit, then the criteria that need attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugin import reporter
from retspec.report.formats.alike import by_cause
from retspec.report.formats.table import JUDGED_BAD, QUIET, headers_of, row
from retspec.text.asked import run_with
from retspec.text.markdown import escaped, markdown_table
from retspec.text.proofs import proven
from retspec.text.relative_paths import from_root
from retspec.text.seeds import every_note
from retspec.text.wording import detail_lines, outcome, summary, troubles

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.records import Report, Result

LARGEST = 900_000
"""Bytes of a summary; GitHub drops the whole summary at 1 MiB."""


@reporter
def markdown(report: Report) -> str:
    """A Markdown table, for the summary of a GitHub job."""
    return render_markdown(report)


def render_markdown(report: Report, largest: int = LARGEST) -> str:
    """Return the report as Markdown of at most `largest` bytes; one line counts the lines that do not fit."""
    head = [f"### {escaped(report.name)}: {outcome(report)[0]}", "", escaped(summary(report)), ""]
    if asked := run_with(report):
        head += [escaped(asked), ""]
    if score := proven(report):
        head += [escaped(score), ""]
    looks = [f"- {escaped(text)}" for text in troubles(report)]
    for results in by_cause(result for result in report.every_result if result.verdict not in QUIET):
        looks += _look(results)
    looks += [f"- note: {escaped(note)}" for note in every_note(report)]
    headers = headers_of(report.every_result)
    rows = markdown_table(headers, [row(result)[: len(headers)] for result in report.every_result])
    room = largest - _bytes([*head, ""])
    kept = _capped(looks, room // 2)
    return "\n".join([*head, *_capped(rows, room - _bytes(kept)), *([""] if kept else []), *kept]) + "\n"


def _look(results: list[Result]) -> Iterator[str]:
    """Yield the lines of criteria that need attention for the same reason."""
    first = results[0]
    criterion = first.criterion
    names = ", ".join(f"**{escaped(result.criterion.name)}**" for result in results)
    place = criterion.mark.in_line(from_root(criterion.mark.file))
    yield f"- {names} ({escaped(place)}) {first.verdict.value}: {escaped(first.reason)}"
    if first.observed:
        yield from (f"  - {escaped(line)}" for line in detail_lines(first.observed.details))
    if first.verdict in JUDGED_BAD:
        yield f"  - → {escaped(criterion.advice)}"


def _bytes(lines: Sequence[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def _capped(lines: Sequence[str], largest: int) -> list[str]:
    """Return the lines that fit, and a line that counts the others."""
    if _bytes(lines) <= largest:
        return [*lines]
    kept: list[str] = []
    left = largest - _bytes(["", _left_out(len(lines))])
    for line in lines:
        left -= _bytes([line])
        if left < 0:
            break
        kept.append(line)
    return [*kept, "", _left_out(len(lines) - len(kept))]


def _left_out(count: int) -> str:
    return f"{count:,} more lines are left out here; results.json holds everything."

"""The verdicts of a matrix at a glance: a grid of cells and criteria, or counts where a grid does not fit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.records import Report, Verdict
from retspec.text.fitting import cells as columns_of
from retspec.text.fitting import wrapped
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Style = Callable[[str, Verdict], str]

LOG_WIDTH = 120
"""Columns of a grid in a log, which has no width of its own."""
MOST_ROWS = 30
"""Cells above which those with the same verdicts share a row, as they do in a log."""
MARKS = {Verdict.MET: "✓", Verdict.MISSED: "✗", Verdict.WARNED: "!", Verdict.WAIVED: "~", Verdict.SKIPPED: "-"}
NO_VERDICT, NOTHING = "?", " "
_GAP = "  "


@dataclass(frozen=True)
class _Row:
    """Cells of the matrix with the same verdicts, one for each criterion; None where a cell lacks it."""

    names: tuple[str, ...]
    verdicts: tuple[Verdict | None, ...]

    @property
    def title(self) -> str:
        """The name of the cell, or of the first and how many others."""
        first, *others = self.names
        return f"{first} and {len(others):,} more" if others else first


def cell_grid(report: Report, style: Style, width: int | None, worst_first: Sequence[Verdict]) -> str:
    """Return the verdicts of a matrix: criteria below each other, or cells, whichever fits; else counts for each cell.

    width: columns of the screen; None is a log, where cells with the same verdicts share a row.
    worst_first: the order of verdicts.
    """
    criteria = _criteria(report, worst_first)
    rows = _rows(report, criteria, grouped=width is None or len(report.cells) > MOST_ROWS)
    wide = LOG_WIDTH if width is None else width
    names = [one_line(name) for name in criteria]
    titles = [row.title for row in rows]
    across = [[row.verdicts[index] for row in rows] for index in range(len(names))]
    along = [row.verdicts for row in rows]
    for show in (_word, _mark):
        for corner, heads, sides, grid in (("criterion", titles, names, across), ("cell", names, titles, along)):
            lines = _lines(corner, heads, sides, [[show(verdict) for verdict in line] for line in grid])
            if columns_of(lines[0]) <= wide:
                painted = _painted(lines, grid, style, show)
                return "\n".join([*painted, *(_legend(along) if show is _mark else ())])
    return "\n".join(wrapped(f"{row.title}: {_counts(row)}", width) for row in rows)


def _criteria(report: Report, worst_first: Sequence[Verdict]) -> list[str]:
    """Return the ids of all criteria, those with the worst verdict first."""
    worst: dict[str, int] = {}
    for result in report.every_result:
        rank = worst_first.index(result.verdict)
        worst[result.criterion.id] = min(worst.get(result.criterion.id, rank), rank)
    return sorted(worst, key=worst.__getitem__)


def _rows(report: Report, criteria: Sequence[str], *, grouped: bool) -> list[_Row]:
    named: dict[object, tuple[tuple[str, ...], tuple[Verdict | None, ...]]] = {}
    for part in report.parts:
        found = {result.criterion.id: result.verdict for result in part.results}
        verdicts = tuple(found.get(name) for name in criteria)
        key: object = verdicts if grouped else part.cell
        names, _ = named.get(key, ((), verdicts))
        named[key] = ((*names, one_line(part.cell)), verdicts)
    return [_Row(*each) for each in named.values()]


def _word(verdict: Verdict | None) -> str:
    return NOTHING if verdict is None else verdict.value


def _mark(verdict: Verdict | None) -> str:
    return NOTHING if verdict is None else MARKS.get(verdict, NO_VERDICT)


def _lines(corner: str, heads: Sequence[str], sides: Sequence[str], grid: Sequence[Sequence[str]]) -> list[str]:
    """Return the grid as lines of the same width, under a headline and a rule."""
    table = [[corner, *heads], *([side, *words] for side, words in zip(sides, grid, strict=True))]
    widths = [max(map(columns_of, column)) for column in zip(*table, strict=True)]
    lines = [_GAP.join(_padded(text, width) for text, width in zip(row, widths, strict=True)) for row in table]
    return [lines[0], _GAP.join("-" * width for width in widths), *lines[1:]]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - columns_of(text))


def _painted(
    lines: Sequence[str], grid: Sequence[Sequence[Verdict | None]], style: Style, show: Callable[[Verdict | None], str]
) -> Iterator[str]:
    """Yield the lines with coloured verdicts: the places of the columns are those of the rule."""
    rule = lines[1]
    starts = [index + len(_GAP) for index in range(len(rule)) if rule.startswith(f"{_GAP}-", index)]
    yield from (line.rstrip() for line in lines[:2])
    for line, verdicts in zip(lines[2:], grid, strict=True):
        side = line[: len(line) - (len(rule) - starts[0])]
        pieces = [side]
        ends = [*(start - len(_GAP) for start in starts[1:]), len(rule)]
        for start, end, verdict in zip(starts, ends, verdicts, strict=True):
            word = show(verdict)
            shown = word if verdict is None else style(word, verdict)
            pieces.append(shown + " " * (end - start - len(word) + len(_GAP)))
        yield "".join(pieces).rstrip()


def _legend(grid: Sequence[Sequence[Verdict | None]]) -> Iterator[str]:
    """Yield what the marks mean, those that are there."""
    used = {verdict for row in grid for verdict in row if verdict is not None}
    words = [f"{mark} {verdict.value}" for verdict, mark in MARKS.items() if verdict in used]
    if used - MARKS.keys():
        words.append(f"{NO_VERDICT} no verdict")
    yield ""
    yield listing(words, _GAP)


def _counts(row: _Row) -> str:
    counts = Counter(verdict.value for verdict in row.verdicts if verdict is not None)
    return ", ".join(f"{count:,} {word}" for word, count in counts.items()) or "none"

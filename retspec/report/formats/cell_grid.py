"""The verdicts of a matrix at a glance: a grid of cells and criteria, or counts where a grid does not fit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.characters import one_line
from retspec.records import Verdict
from retspec.text.fitting import cells as columns_of
from retspec.text.fitting import wrapped
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from retspec.records import Report

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
    names, titles = [one_line(name) for name in criteria], [row.title for row in rows]
    along = [row.verdicts for row in rows]
    across = [*zip(*along, strict=True)]
    for show in (_word, _mark):
        for corner, heads, sides, grid in (("criterion", titles, names, across), ("cell", names, titles, along)):
            table = _Table((corner, *heads), sides, grid, show)
            if table.width <= wide:
                return "\n".join([*table.lines(style), *(_legend(along) if show is _mark else ())])
    return "\n".join(wrapped(f"{row.title}: {_counts(row)}", width) for row in rows)


@dataclass(frozen=True)
class _Table:
    """A grid of verdicts, each shown as a word or as a mark."""

    heads: tuple[str, ...]
    sides: Sequence[str]
    grid: Sequence[Sequence[Verdict | None]]
    show: Callable[[Verdict | None], str]

    @property
    def widths(self) -> list[int]:
        """The columns of the screen that each column of the table takes."""
        rows = ((side, *map(self.show, line)) for side, line in zip(self.sides, self.grid, strict=True))
        return [max(map(columns_of, column)) for column in zip(self.heads, *rows, strict=True)]

    @property
    def width(self) -> int:
        """The columns that the longest line takes."""
        return sum(self.widths) + len(_GAP) * (len(self.heads) - 1)

    def lines(self, style: Style) -> Iterator[str]:
        """Yield the headline, a rule and the rows; a style adds no column."""
        widths = self.widths
        yield _line(map(_padded, self.heads, widths))
        yield _line("-" * width for width in widths)
        for side, verdicts in zip(self.sides, self.grid, strict=True):
            words = [self.show(verdict) for verdict in verdicts]
            painted = [
                (word if verdict is None else style(word, verdict)) + " " * (width - columns_of(word))
                for word, verdict, width in zip(words, verdicts, widths[1:], strict=True)
            ]
            yield _line([_padded(side, widths[0]), *painted])


def _line(texts: Iterable[str]) -> str:
    return _GAP.join(texts).rstrip()


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


def _padded(text: str, width: int) -> str:
    return text + " " * (width - columns_of(text))


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

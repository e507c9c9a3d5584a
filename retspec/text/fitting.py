"""Text that fits a screen: columns that are left out one by one, and lines that continue below themselves."""

from __future__ import annotations

import os
import sys
from itertools import groupby
from textwrap import TextWrapper
from typing import TYPE_CHECKING, TextIO
from unicodedata import combining, east_asian_width

from retspec.characters import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_GAP = 2
"""Blanks between two columns."""
NARROWEST = 20
"""Columns of a screen below which nothing is made to fit."""
_VERBATIM = "Example:"
"""The heading of what is to be copied, whose lines are not joined."""
_ITEMS = ("- ", "* ", "| ")
"""How lines begin that are not joined: items of lists, rows of tables."""


def screen_width(stream: TextIO | None = None) -> int | None:
    """Return the columns of the screen that is printed to, or what `COLUMNS` says; None for a file or a pipe.

    stream: what is printed to, standard output by default.
    """
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said):
        return max(int(said), NARROWEST)
    screen = sys.stdout if stream is None else stream
    try:
        return max(os.get_terminal_size(screen.fileno()).columns, NARROWEST) if screen.isatty() else None
    except (OSError, ValueError):  # a screen without a size, or a stream that is closed
        return None


def fitting_columns(rows: Sequence[Sequence[str]], width: int, dropped: Sequence[int]) -> list[int]:
    """Return the columns to show, in order: as many as fit, without the first of `dropped` that make it too wide.

    rows: the cells of all lines, headers included, each without control sequences but colours.
    """
    widths = [max(map(visible_length, column)) for column in zip(*rows, strict=True)]
    return _kept(widths, width, dropped)


def _kept(widths: Sequence[int], width: int, dropped: Sequence[int]) -> list[int]:
    shown = [*range(len(widths))]
    for column in dropped:
        if _taken(widths, shown) <= width:
            break
        shown.remove(column)
    return shown


def _taken(widths: Sequence[int], shown: Sequence[int]) -> int:
    return sum(widths[each] + _GAP for each in shown) - _GAP


def column_widths(
    rows: Sequence[Sequence[str]],
    width: int,
    dropped: Sequence[int],
    wraps: Mapping[int, int],
    widest: Mapping[int, int],
) -> dict[int, int]:
    """Return the columns to show, each with the characters of its lines; none where no table of whole words fits.

    rows: the cells of all lines, headers included. dropped: the columns to do without, least important first.
    wraps: columns whose cells may continue below themselves, each with the width that it has before another is left
        out. Where all that may be left out is, every column wraps.
    widest: columns that wrap however wide the screen is.
    """
    columns = [*zip(*rows, strict=True)]
    words = [max(map(_longest_word, cells)) for cells in columns]
    whole = [max(map(visible_length, cells)) for cells in columns]
    whole = [max(words[each], min(size, widest.get(each, size))) for each, size in enumerate(whole)]
    least = [max(words[each], min(size, wraps.get(each, size))) for each, size in enumerate(whole)]
    shown = _kept(least, width, dropped)
    if _taken(least, shown) > width:
        least = words
    room = width - _taken(least, shown)
    return _grown({each: least[each] for each in shown}, whole, room) if room >= 0 else {}


def _longest_word(cell: str) -> int:
    return max(map(visible_length, cell.split(" ")))


def _grown(widths: dict[int, int], most: Sequence[int], room: int) -> dict[int, int]:
    """Give room to the columns that need little more to be whole, then to the narrowest of those that wrap."""
    for each in sorted(widths, key=lambda column: most[column] - widths[column]):
        if most[each] - widths[each] <= room:
            room -= most[each] - widths[each]
            widths[each] = most[each]
    for _ in range(room):
        growing = [each for each in widths if widths[each] < most[each]]
        if not growing:
            break
        widths[min(growing, key=widths.__getitem__)] += 1
    return widths


def visible_length(text: str) -> int:
    """Return the number of characters without colours."""
    return len(visible(text))


def cells(text: str) -> int:
    """Return how many columns a text without control sequences takes: CJK characters take two, accents none.

    See Unicode Standard Annex #11, East Asian Width.
    """
    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)


def wrapped(line: str, width: int | None, indent: str = "    ") -> str:
    """Return a line broken at blanks, continued below with a deeper indent; a longer word, such as a path, is kept."""
    if width is None or visible_length(line) <= width:
        return line
    own = _indent(line)
    return _filled(line.removeprefix(own), width, own, own + indent)


def in_column(cell: str, width: int) -> str:
    """Return the lines of a cell of a table."""
    return _filled(cell, width, "", "")


def reflowed(text: str, width: int | None) -> str:
    """Return a docstring with the paragraphs that are too wide filled again.

    Lines that follow one another with the same indent are a paragraph. Lists and what is below `Example:` keep their
    lines.
    """
    return text if width is None else "\n\n".join(_section(section, width) for section in text.split("\n\n"))


def _section(section: str, width: int) -> str:
    lines = section.split("\n")
    if lines[0] == _VERBATIM:
        return "\n".join(wrapped(line, width) for line in lines)
    return "\n".join(_paragraph([*paragraph], width) for _, paragraph in groupby(lines, _indent))


def _paragraph(lines: Sequence[str], width: int) -> str:
    if all(visible_length(line) <= width for line in lines):
        return "\n".join(lines)
    if any(line.lstrip().startswith(_ITEMS) for line in lines):
        return "\n".join(wrapped(line, width) for line in lines)
    return _filled(" ".join(map(str.strip, lines)), width, _indent(lines[0]), _indent(lines[0]))


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" "))]


def _filled(text: str, width: int, first: str, rest: str) -> str:
    wrapper = TextWrapper(
        width=width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
        tabsize=1,
    )
    return wrapper.fill(text)

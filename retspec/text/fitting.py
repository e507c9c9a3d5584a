"""Text that fits a screen: columns that are left out one by one, and lines that continue below themselves."""

from __future__ import annotations

import os
import sys
from textwrap import TextWrapper
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

from retspec.characters import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

_GAP = 2
"""Blanks between two columns."""
NARROWEST = 20
"""Columns of a screen below which nothing is made to fit."""


def screen_width() -> int | None:
    """Return the columns of the screen that is printed to, or what `COLUMNS` says; None for a file or a pipe."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said):
        return max(int(said), NARROWEST)
    try:
        return max(os.get_terminal_size(sys.stdout.fileno()).columns, NARROWEST) if sys.stdout.isatty() else None
    except (OSError, ValueError):  # a screen without a size, or standard output that is closed
        return None


def fitting_columns(rows: Sequence[Sequence[str]], width: int, dropped: Sequence[int]) -> list[int]:
    """Return the columns to show, in order: as many as fit, without the first of `dropped` that make it too wide.

    rows: the cells of all lines, headers included, each without control sequences but colours.
    """
    shown = [*range(len(rows[0]))]
    widths = [max(visible_length(row[column]) for row in rows) for column in shown]
    for column in dropped:
        if sum(widths[each] + _GAP for each in shown) - _GAP <= width:
            break
        shown.remove(column)
    return shown


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
    own = line[: len(line) - len(line.lstrip(" "))]
    wrapper = TextWrapper(
        width=width, subsequent_indent=own + indent, break_long_words=False, break_on_hyphens=False, tabsize=1
    )
    return wrapper.fill(line)

"""A figure: a drawing of facts, what it shows in words, and its numbers as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.text.wording import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

MOST_ROWS = 40
"""Rows of a table beside a figure; the embedded results hold all numbers."""


@dataclass(frozen=True)
class Table:
    """The numbers of a figure; the first column names the rows."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0
    """Rows that are not shown."""

    @staticmethod
    def of(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
        """Return a table of values, as text; the middle of a long one is left out."""
        texts = tuple(tuple(_cell(value) for value in row) for row in rows)
        if len(texts) <= MOST_ROWS:
            return Table(tuple(headers), texts)
        half = MOST_ROWS // 2
        return Table(tuple(headers), texts[:half] + texts[-half:], left_out=len(texts) - MOST_ROWS)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One drawing of the facts of one measurement."""

    name: str
    """Unique among the figures of a measurement; part of the address of the figure."""
    title: str
    drawing: Markup
    caption: str
    """What it shows, in words: for those who do not see it."""
    checks: frozenset[str] = frozenset()
    """The checks whose verdict it explains."""
    table: Table | None = None


def _cell(value: object) -> str:
    if value is None:
        return "—"
    return value if isinstance(value, str) else readable(value)

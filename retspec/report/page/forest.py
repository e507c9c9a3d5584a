"""The mark of numbers with intervals, one in a row: a forest plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.report.page.marks import WIDTH
from retspec.report.page.scales import scale
from retspec.report.page.svg import drawing, line, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

_NAMES, _ROW, _TOP, _BOTTOM = 150.0, 22.0, 4.0, 18.0
_LONGEST = 23
_LETTER = 6.2
"""Pixels of a letter of the text at the end of a row."""


@dataclass(frozen=True)
class Interval:
    """One row: a name, a number with the ends of its interval, and how it is written."""

    name: str
    value: float
    lower: float
    upper: float
    text: str


def forest(label: str, rows: Sequence[Interval]) -> Markup:
    """Draw a point for each number, and its interval as a line."""
    end = WIDTH - max((len(row.text) for row in rows), default=0) * _LETTER - 12
    across = scale([end for row in rows for end in (row.lower, row.value, row.upper)], _NAMES, end)
    bottom = _TOP + len(rows) * _ROW
    marks = [line(across(tick), _TOP, across(tick), bottom, "rule", stroke_opacity=0.15) for tick in across.ticks()]
    for index, row in enumerate(rows):
        y = _TOP + index * _ROW + _ROW / 2
        marks += [
            words(_clipped(row.name), _NAMES - 8, y + 3.5, "end"),
            line(across(row.lower), y, across(row.upper), y, "range", stroke_width=1.5),
            *(line(across(x), y - 3, across(x), y + 3, "range", stroke_width=1.5) for x in (row.lower, row.upper)),
            line(across(row.value) - 3, y, across(row.value) + 3, y, "bar", stroke_width=7),
            words(row.text, WIDTH, y + 3.5, "end", class_="value"),
        ]
    marks += [words(f"{tick:g}", across(tick), bottom + 13, "middle") for tick in across.ticks()]
    return drawing(WIDTH, bottom + _BOTTOM, marks, label=label, class_="plot")


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

"""The marks that figures are made of: line, bars, spread, grid; and the two in a row of text: bullet, sparkline.

A library would cost more than it draws here: one plot of a large plotting library is as long as this whole report may
be, with inline styles that strict servers remove.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.report.page.scales import Scale, scale, spread_out
from retspec.report.page.svg import drawing, line, number, path, tag, words
from retspec.text.wording import readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markupsafe import Markup

WIDTH = 420.0
"""Width of a figure, in pixels of an unscaled page."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 12.0, 24.0, 28.0
_DASHES = (None, "6 3", "2 3", "8 3 2 3", "12 3", "1 4")
_LEVELS = 6
_ROW = 22.0
_LABELS = 150.0


@dataclass(frozen=True)
class Series:
    """One line of a plot: a value for each x, None where there is none."""

    name: str
    values: Sequence[float | None]
    quiet: bool = False
    """Whether it is in the background."""


@dataclass(frozen=True, kw_only=True)
class Axes:
    """What the two axes of a plot are, and the lines that are drawn across it."""

    x: str
    y: str
    log: bool = False
    zero: bool = False
    height: float = 190.0
    levels: Sequence[tuple[str, float]] = ()
    """Horizontal lines with their names, such as the loss of chance."""
    names: Sequence[str] = ()
    """Names of the places on the x axis, where they are no numbers."""


def lines(label: str, axes: Axes, xs: Sequence[float], series: Sequence[Series]) -> Markup:
    """Draw lines over a common x axis, each named at its end."""
    named = len(series) > 1
    right = WIDTH - (_RIGHT + 84 if named else _RIGHT)
    values = [value for each in series for value in each.values if value is not None]
    across = Scale(min(xs), max(xs), _LEFT, right)
    bottom = axes.height - _BOTTOM
    up = scale([*values, *(level for _, level in axes.levels)], bottom, _TOP, log=axes.log, zero=axes.zero)
    marks = [*_frame(axes, across, up, right), *_crossing(axes, up, right)]
    for index, each in enumerate(series):
        points = [
            None if value is None or (up.log and value <= 0) else (across(x), up(value))
            for x, value in zip(xs, each.values, strict=False)
        ]
        shade = "quiet" if each.quiet else f"series s{index % 6}"
        marks.append(path(points, shade, stroke_width=1 if each.quiet else 2, stroke_dasharray=_DASHES[index % 6]))
    if named:
        marks += _end_labels(series, up, right)
    return drawing(WIDTH, axes.height, marks, label=label, class_="plot")


def _frame(axes: Axes, across: Scale, up: Scale, right: float) -> Iterable[Markup]:
    bottom = axes.height - _BOTTOM
    for tick in up.ticks():
        y = up(tick)
        yield line(_LEFT, y, right, y, "rule", stroke_opacity=0.15)
        yield words(_short(tick), _LEFT - 6, y + 3.5, "end")
    yield line(_LEFT, bottom, right, bottom, "axis", stroke_opacity=0.5)
    yield words(axes.y, 0, 10, class_="name")
    ends = [(across.low, "start"), (across.high, "end")] if across.high > across.low else [(across.low, "middle")]
    for value, anchor in ends:
        text = axes.names[int(value) - 1] if axes.names else _short(value)
        yield words(text, across(value), bottom + 13, anchor)
    yield words(axes.x, (_LEFT + right) / 2, axes.height - 2, "middle", class_="name")


def _crossing(axes: Axes, up: Scale, right: float) -> Iterable[Markup]:
    for name, level in axes.levels:
        y = up(level)
        yield line(_LEFT, y, right, y, "level", stroke_dasharray="3 3", stroke_opacity=0.7)
        yield words(name, right, y - 4, "end", class_="note")


def _end_labels(series: Sequence[Series], up: Scale, right: float) -> Iterable[Markup]:
    shown = [(index, each) for index, each in enumerate(series) if not each.quiet]
    ends = [up(next((value for value in reversed(each.values) if value is not None), up.low)) for _, each in shown]
    places = spread_out(ends, 13, _TOP, up.start)
    for (index, each), place in zip(shown, places, strict=True):
        yield words(_clipped(each.name, 14), right + 6, place + 3.5, class_=f"s{index % 6}")


@dataclass(frozen=True)
class Row:
    """One row of bars: a name, a value, how it is written, and the values that it stands for."""

    name: str
    value: float
    text: str
    samples: Sequence[float] = ()


def bars(label: str, rows: Sequence[Row], *, limit: tuple[str, float] | None = None) -> Markup:
    """Draw a horizontal bar for each row, with its value, and the range of its samples as a thin line."""
    longest = max((len(row.text) for row in rows), default=0) * 6.2 + 8
    end = WIDTH - longest
    values = [value for row in rows for value in (row.value, *row.samples)]
    reach = scale([*values, *([limit[1]] if limit else [])], _LABELS, end, zero=True)
    height = len(rows) * _ROW + (18 if limit else 4)
    marks = []
    for index, row in enumerate(rows):
        y = index * _ROW + _ROW / 2 + (14 if limit else 0)
        marks.append(words(_clipped(row.name, 23), _LABELS - 8, y + 3.5, "end"))
        marks.append(line(reach(0), y, reach(row.value), y, "bar", stroke_width=11))
        far = reach(row.value)
        if len(row.samples) > 1:
            low, high = reach(min(row.samples)), reach(max(row.samples))
            far = max(far, high)
            marks.append(line(low, y, high, y, "range", stroke_width=1.5))
            marks += [line(x, y - 3, x, y + 3, "range", stroke_width=1.5) for x in (low, high)]
        marks.append(words(row.text, far + 6, y + 3.5, class_="value"))
    if limit:
        x = reach(limit[1])
        marks.append(line(x, 12, x, height, "level", stroke_dasharray="3 3"))
        marks.append(words(limit[0], x, 9, "middle", class_="note"))
    return drawing(WIDTH, height, marks, label=label, class_="plot")


def grid(
    label: str, rows: Sequence[str], columns: tuple[str, str, str], values: Sequence[Sequence[float | None]]
) -> Markup:
    """Draw a cell for each value, in a stronger colour for larger ones, by their logarithm.

    A dotted line is where a value is missing or zero.

    columns: the name of the horizontal axis, and of its first and last column.
    """
    positive = [value for row in values for value in row if value and math.isfinite(value)]
    shade = Scale(min(positive, default=1.0), max(positive, default=1.0), 1, _LEVELS, log=True)
    tall = max(3.0, min(14.0, 240.0 / max(len(rows), 1)))
    wide = (WIDTH - _LABELS - _RIGHT) / max(map(len, values), default=1)
    paths: dict[int, list[str]] = {}
    for index, row in enumerate(values):
        y = 4 + index * tall + tall / 2
        for start, length, level in _runs([_level(value, shade) for value in row]):
            step = f"M{number(_LABELS + start * wide)} {number(y)}h{number(length * wide)}"
            paths.setdefault(level, []).append(step)
    marks = [
        tag(
            "path",
            d="".join(steps),
            class_="cell" if level else "hole",
            stroke_width=tall - 0.5 if level else 1,
            stroke_opacity=round(level / _LEVELS, 1) if level else None,
            stroke_dasharray=None if level else "2 2",
        )
        for level, steps in sorted(paths.items())
    ]
    every = math.ceil(11 / tall)
    marks += [
        words(_clipped(rows[index], 23), _LABELS - 8, 4 + index * tall + tall / 2 + 3.5, "end")
        for index in range(0, len(rows), every)
    ]
    bottom = 4 + len(rows) * tall
    name, first, last = columns
    marks += [words(first, _LABELS, bottom + 13), words(last, WIDTH - _RIGHT, bottom + 13, "end")]
    marks.append(words(name, (_LABELS + WIDTH - _RIGHT) / 2, bottom + 13, "middle", class_="name"))
    return drawing(WIDTH, bottom + 18, marks, label=label, class_="plot")


def _level(value: float | None, shade: Scale) -> int:
    if value is None or not math.isfinite(value):  # a norm that no number holds is as large as one can be
        return 0 if value is None else _LEVELS
    return round(shade(value)) if value else 0


def _runs(levels: Sequence[int]) -> Iterable[tuple[int, int, int]]:
    """Yield the start, length and level of each run of equal cells."""
    start = 0
    for index in range(1, len(levels) + 1):
        if index == len(levels) or levels[index] != levels[start]:
            yield start, index - start, levels[start]
            start = index


# In a row of text -------------------------------------------------------------------------------------------


def bullet(
    label: str, value: float, limit: float, *, most: bool, warn: float | None = None, before: float | None = None
) -> Markup:
    """Draw a value against its limit: the allowed side as a band, the limit as a tick, the value as a dot.

    most: whether the limit is an upper one. before: an earlier value, drawn as a ring.
    """
    width, height, middle = 180.0, 20.0, 10.0
    known = [each for each in (value, limit, warn, before) if each is not None]
    reach = scale(known, 8, width - 8, log=True, zero=True)
    tick = reach(limit)
    first, last = (2.0, tick) if most else (tick, width - 2)
    marks = [
        line(2, middle, width - 2, middle, "track", stroke_opacity=0.3),
        line(first, middle, last, middle, "allowed", stroke_width=8, stroke_opacity=0.18),
        line(tick, 2, tick, height - 2, "limit", stroke_width=2),
    ]
    if warn is not None:
        marks.append(line(reach(warn), 5, reach(warn), height - 5, "warn", stroke_dasharray="2 2"))
    if before is not None:
        marks.append(tag("circle", cx=reach(before), cy=middle, r=4, class_="before"))
        marks.append(line(reach(before), middle, reach(value), middle, "change"))
    marks.append(
        tag("circle", cx=reach(value), cy=middle, r=4.5, class_="observed", fill="currentColor", stroke="none")
    )
    return drawing(width, height, marks, label=label, class_="bullet")


def sparkline(label: str, values: Sequence[float | None], limit: float | None, changes: Sequence[int] = ()) -> Markup:
    """Draw the values of several runs, the limit across them, and a mark where the circumstances changed."""
    width, height = 180.0, 32.0
    known = [value for value in values if value is not None]
    up = scale([*known, *([limit] if limit is not None else [])], height - 5, 5, log=True)
    across = Scale(0, max(len(values) - 1, 1), 6, width - 8)
    marks = [line(across(i - 0.5), 1, across(i - 0.5), height - 1, "change", stroke_opacity=0.4) for i in changes]
    if limit is not None:
        marks.append(line(2, up(limit), width - 2, up(limit), "limit", stroke_dasharray="3 3", stroke_opacity=0.7))
    points = [None if value is None else (across(index), up(value)) for index, value in enumerate(values)]
    marks.append(path(points, "series s0", stroke_width=1.5))
    if points and points[-1] is not None:
        x, y = points[-1]
        marks.append(tag("circle", cx=x, cy=y, r=3, class_="observed", fill="currentColor", stroke="none"))
    return drawing(width, height, marks, label=label, class_="sparkline")


def tally(label: str, counts: Sequence[tuple[str, int]]) -> Markup:
    """Draw how many there are of each kind, side by side."""
    total = sum(count for _, count in counts) or 1
    gap, start, marks = 3.0, 0.0, []
    room = 1000 - gap * (len(counts) - 1)
    for kind, count in counts:
        wide = room * count / total
        marks.append(tag("rect", x=start, width=wide, height=8, class_=kind, fill="currentColor", stroke="none"))
        start += wide + gap
    return drawing(1000, 8, marks, label=label, class_="tally", fills=True, preserveAspectRatio="none")


def _short(value: float) -> str:
    if value and (abs(value) >= 1e5 or abs(value) < 1e-3):  # noqa: PLR2004 - what fits beside an axis
        return f"{value:.3g}".replace("e-0", "e-").replace("e+0", "e")
    return readable(float(f"{value:.4g}"))


def _clipped(text: str, most: int) -> str:
    """Return a text without its beginning, where the end of a dotted name tells layers apart."""
    return text if len(text) <= most else f"…{text[1 - most :]}"

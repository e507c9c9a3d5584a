"""Scales: from the values of a plot to its coordinates, with round ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_STEPS = (1, 2, 2.5, 5, 10)
_DECADES = 2.0
"""Decades above which positive values are drawn on a logarithmic scale."""


@dataclass(frozen=True)
class Scale:
    """Maps values from `low` to `high` to coordinates from `start` to `end`, linearly or by their logarithm."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value; one outside is at the edge."""
        low, high, value = (self._ruled(each) for each in (self.low, self.high, value))
        share = (value - low) / (high - low) if high > low else 0.5
        return self.start + (self.end - self.start) * min(max(share, 0.0), 1.0)

    def _ruled(self, value: float) -> float:
        return math.log10(max(value, self.low)) if self.log else value

    def ticks(self, most: int = 4) -> list[float]:
        """Return round values from `low` to `high`."""
        if self.log:
            return _powers(self.low, self.high, most)
        span = self.high - self.low
        if span <= 0:
            return [self.low]
        rough = span / most
        power = 10.0 ** math.floor(math.log10(rough))
        step = next((step * power for step in _STEPS if step * power >= rough), 10 * power)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(index * step, 12 - math.floor(math.log10(step))) for index in range(first, last + 1)]


def scale(values: Iterable[float], start: float, end: float, *, log: bool = False, zero: bool = False) -> Scale:
    """Return the scale that shows these values, with some room around them.

    log: by the logarithm, if no value is negative, and those above zero span two decades. zero: begins at zero, if
    linear.
    """
    known = [value for value in values if math.isfinite(value)] or [0.0]
    positive = [value for value in known if value > 0]
    if log and positive and min(known) >= 0 and math.log10(max(positive) / min(positive)) >= _DECADES:
        return Scale(min(positive), max(positive), start, end, log=True)
    low, high = min(known), max(known)
    room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
        return Scale(low - room * (low < 0), high + room * (high > 0 or low == 0), start, end)
    return Scale(low - room, high + room, start, end)


def spread_out(places: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """Return places moved so that neighbours are at least so far apart, in the same order of the sequence."""
    order = sorted(range(len(places)), key=places.__getitem__)
    moved = [*places]
    floor = low
    for index in order:
        moved[index] = floor = max(moved[index], floor)
        floor += apart
    ceiling = high
    for index in reversed(order):
        moved[index] = ceiling = min(moved[index], ceiling)
        ceiling -= apart
    return moved


def _powers(low: float, high: float, most: int) -> list[float]:
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    every = max(1, math.ceil((last - first + 1) / most))
    return [10.0**power for power in range(first, last + 1, every)] or [low, high]

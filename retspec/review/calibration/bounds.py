"""From an observed number to a limit with a margin, rounded so that it is never stricter than what was observed."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from retspec.records import Direction
from retspec.review.calibration.yaml_edit import LeftAlone

DIGITS = 2
"""Significant digits of a limit that was made from an observation: more would promise more than one run can show."""


def bound(observed: float, direction: Direction, margin: Decimal, *, is_count: bool) -> Decimal:
    """Return the limit that an observation leaves a margin to.

    observed: a finite number. direction: at most, or at least. margin: a share of the observed value, 0.2 for 20%.
    is_count: whether the limit is a whole number.

    The limit lies `margin * abs(observed)` away from the observed value, on the side that allows more, and is rounded
    away from it to two significant digits. Raises LeftAlone for a zero that no margin can be taken of: only counts
    that must stay zero are exact.
    """
    value = Decimal(str(observed))  # the shortest spelling: 0.1 is not to become 0.11
    if not value:
        return _zero(direction, is_count=is_count)
    room = abs(value) * margin
    if direction is Direction.AT_MOST:
        return _rounded(value + room, ROUND_CEILING, is_count=is_count)
    # A count that is there at all stays required: nothing can miss "at least 0".
    return _rounded(value - room, ROUND_FLOOR, is_count=is_count) or min(value, Decimal(1))


def _zero(direction: Direction, *, is_count: bool) -> Decimal:
    if direction is Direction.AT_LEAST:
        raise LeftAlone("0 was observed: nothing could miss a limit of at least 0")
    if not is_count:
        raise LeftAlone("0 was observed: there is nothing to take a margin of")
    return Decimal(0)


def _rounded(value: Decimal, rounding: str, *, is_count: bool) -> Decimal:
    last = value.adjusted() - DIGITS + 1
    if is_count:
        last = max(last, 0)
    return value.quantize(Decimal(1).scaleb(last), rounding) + 0  # which turns -0 into 0

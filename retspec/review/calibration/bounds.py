"""Turn an observed number into a limit with a margin, which is never stricter than the observation."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from retspec.records import Direction
from retspec.review.calibration.yaml_edit import LeftAlone

DIGITS = 2
"""Significant digits of a limit made from an observation: one run does not justify more."""


def bound(observed: float, direction: Direction, margin: Decimal, *, is_count: bool) -> Decimal:
    """Return the limit that leaves a margin around an observation.

    observed: a finite number. direction: at most, or at least. margin: a share of the observed value, 0.2 for 20%.
    is_count: whether the limit is a whole number.

    The limit is `margin * abs(observed)` away from the observed value, on the looser side, and is rounded away from it
    to two significant digits. A count of zero under "at most" gives the limit 0. Raises LeftAlone for any other zero:
    a margin of zero is zero.
    """
    value = Decimal(str(observed))  # the shortest spelling: 0.1 must not become 0.11
    if not value:
        return _zero(direction, is_count=is_count)
    room = abs(value) * margin
    if direction is Direction.AT_MOST:
        return _rounded(value + room, ROUND_CEILING, is_count=is_count)
    # A limit of "at least 0" cannot be missed: a count above zero keeps a limit of at least 1.
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
    return value.quantize(Decimal(1).scaleb(last), rounding) + 0  # adding 0 turns -0 into 0

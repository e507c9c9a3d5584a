"""A limit with which a criterion that never fails would have noticed a fault."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import TYPE_CHECKING

from retspec.records import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retspec.records import Value

_DIGITS = 2
_ROOM = Decimal("0.2")
"""Room between what a healthy subject shows and the limit, as a share of the way to the worst that a fault shows."""


def noticing_limit(direction: Direction, healthy: Value | None, faulty: Iterable[Value | None]) -> Value | None:
    """Return a limit that the healthy value meets, and the worst of the faulty ones misses; None if there is none."""
    if direction is Direction.EQUAL or not _is_number(healthy):
        return None
    sign = 1 if direction is Direction.AT_MOST else -1
    worse = [value for value in faulty if _is_number(value) and sign * value > sign * healthy]  # type: ignore[operator]
    if not worse:
        return None
    good = Decimal(str(healthy))
    worst = Decimal(str(max(worse, key=lambda value: sign * value)))  # type: ignore[operator]
    limit = good + (worst - good) * _ROOM
    rounded = Context(prec=_DIGITS, rounding=ROUND_CEILING if sign > 0 else ROUND_FLOOR).plus(limit)
    chosen = rounded if sign * rounded < sign * worst else limit
    if not isinstance(healthy, int):
        return float(chosen)
    return math.floor(chosen) if sign > 0 else math.ceil(chosen)  # whole numbers are observed: the strict side


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

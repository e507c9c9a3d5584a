"""Limits with a stated chance of a false alarm: from the values of a known-good setup under several seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from retspec.errors import UsageError
from retspec.records import Direction
from retspec.review.calibration.bounds import DIGITS, bound
from retspec.review.calibration.yaml_edit import FALSE_ALARM, LeftAlone
from retspec.text.wording import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST = 3
"""Seeds that a chance of a false alarm can be stated from."""
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Alarming:
    """A limit, and how often a setup that is as good as this one misses it."""

    limit: Decimal
    chance: str
    """In words; empty where nothing is known of it."""


def from_seeds(
    values: Sequence[float], direction: Direction, margin: Decimal, share: Decimal | None, *, is_count: bool
) -> Alarming:
    """Return the limit that follows from the values under several seeds.

    margin: a share of the worst value, where no chance is asked for, or the values do not differ. share: the chance of
    a false alarm that is asked for. It is that of one seed.

    Without a share, and where there are enough seeds for it, the rule needs no distribution: of K + 1 values that are
    drawn alike, the last is the worst in one of K + 1 cases. Otherwise, the values are taken as normal.

    Raises LeftAlone for counts under too few seeds, and where the noise is as large as the value.
    """
    worst, seeds = (max(values) if direction is Direction.AT_MOST else min(values)), f"{len(values)} seeds"
    if share is None or len(set(values)) == 1:
        limit = bound(worst, direction, margin, is_count=is_count)
        is_known = len(set(values)) > 1
        return Alarming(limit, _said(_percent(1 / (len(values) + 1)), f"the worst of {seeds}") if is_known else "")
    if seeds_for(share) <= len(values):
        limit = _outwards(worst, values, direction, is_count=is_count)
        return Alarming(limit, _said(_percent(float(share)), f"the worst of {seeds}"))
    if is_count:
        raise LeftAlone(
            f"counts are not normal, and without that a chance of {_percent(float(share))} takes "
            f"{seeds_for(share)} seeds; there are {len(values)}"
        )
    limit = _outwards(_tolerated(values, direction, float(share)), values, direction, is_count=False)
    if direction is Direction.AT_LEAST and limit <= 0 < worst:
        raise LeftAlone(
            f"its noise is as large as its value: the limit would be {readable(float(limit))}; raise the steps that it "
            "is measured over"
        )
    return Alarming(limit, _said(_percent(float(share)), f"the normal tolerance limit of {seeds}, 95% confidence"))


def seeds_for(share: Decimal) -> int:
    """Return how many seeds a chance takes without a distribution."""
    return math.ceil(1 / share - 1)


def _tolerated(values: Sequence[float], direction: Direction, share: float) -> float:
    try:
        from retspec.statistics.tolerance import tolerance_factor  # noqa: PLC0415 - SciPy is an extra
    except ImportError as error:
        raise UsageError(f"--false-alarm needs {error.name or 'SciPy'}: pip install 'retspec[predictions]'") from error
    room = tolerance_factor(len(values), share, _CONFIDENCE) * stdev(values)
    return fmean(values) + (room if direction is Direction.AT_MOST else -room)


def _outwards(value: float, values: Sequence[float], direction: Direction, *, is_count: bool) -> Decimal:
    """Return a limit that is rounded to the looser side, to two digits or to the first digit of the deviation."""
    exact = Decimal(str(value))
    place = Decimal(str(stdev(values))).adjusted()
    if exact:
        place = min(place, exact.adjusted() - DIGITS + 1)
    rounding = ROUND_CEILING if direction is Direction.AT_MOST else ROUND_FLOOR
    return exact.quantize(Decimal(1).scaleb(max(place, 0) if is_count else place), rounding) + 0


def _percent(share: float) -> str:
    return f"{readable(float(f'{100 * share:.2g}'))}%"


def _said(percent: str, rule: str) -> str:
    return f"{FALSE_ALARM} at most {percent} a seed, by {rule}"

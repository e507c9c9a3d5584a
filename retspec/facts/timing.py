"""Medians of timings, and no median where the timings scatter too widely."""

from __future__ import annotations

from statistics import median, quantiles
from typing import TYPE_CHECKING

from retspec.errors import Inconclusive

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_SAMPLES = 5
WIDEST_SPREAD = 0.25
"""Interquartile range / median above which a timing says more about the machine than about what was timed.

`torch.utils.benchmark` draws the same line for its gravest warning (`_IQR_GROSS_WARN_THRESHOLD`).
"""


def steady_median(seconds: Sequence[float], what: str, *, remedy: str = "run on a quieter machine") -> float:
    """Return the median of some timings, in seconds, which messages call `what` (in the plural).

    Raises Inconclusive when there are fewer than five, or when they scatter too widely.
    """
    if len(seconds) < LEAST_SAMPLES:
        raise Inconclusive(f"{len(seconds)} {what} are too few for a median; {remedy}")
    lower, middle, upper = quantiles(seconds, n=4)
    if upper - lower > WIDEST_SPREAD * middle:
        spread = f"interquartile range / median = {(upper - lower) / middle:.2f}" if middle else "median 0"
        raise Inconclusive(
            f"the {what} scatter too widely ({spread}, at most {WIDEST_SPREAD}, "
            f"median {1000 * middle:.4g} ms, n = {len(seconds)}); {remedy}"
        )
    return median(seconds)

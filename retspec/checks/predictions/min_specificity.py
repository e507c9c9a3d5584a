"""`min_specificity`."""

from __future__ import annotations

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Fraction, Observed, check


@check(
    direction="at least",
    interval=True,
    advice="Raise the threshold if `min_sensitivity` leaves room; look at the images that are false alarms.",
)
def min_specificity(specificity: Statistic) -> Observed[Fraction]:
    """Which share of the negative images is left alone?

    Why it matters:
        Each false alarm is a patient who is sent to a clinic for nothing; in screening nearly all patients are healthy.

    Example:
        min_specificity: {limit: 0.9, judge: bound, with: {positive: [2, 3, 4], threshold: 0.4}}

    What the number means:
        Negative images with a score below `threshold`, of all negative ones; see `min_sensitivity` for the score and
        the interval.
    """
    return observed(specificity)

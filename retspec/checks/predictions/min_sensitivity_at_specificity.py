"""`min_sensitivity_at_specificity`."""

from __future__ import annotations

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Fraction, Observed, check


@check(
    direction="at least",
    interval=True,
    advice="Compare the details with the validation split: a threshold that no longer fits needs recalibration, not "
    "a new threshold.",
)
def min_sensitivity_at_specificity(sensitivity_at_specificity: Statistic) -> Observed[Fraction]:
    """Which share of the positive images is found at a threshold chosen on another split?

    Why it matters:
        A threshold picked on the test images overstates sensitivity and specificity together: by 0.06 with 50 positive
        and 200 negative patients.

    Example:
        min_sensitivity_at_specificity: {limit: 0.85, judge: bound, with: {specificity: 0.9, threshold_from: val}}

    What the number means:
        The threshold is the lowest with at least `specificity` on the split `threshold_from`, which is never the judged
        one. The details have the specificity that is reached here; see `operating_point_drift`.
    """
    return observed(sensitivity_at_specificity)

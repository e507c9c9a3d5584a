"""`calibration_slope`."""

from __future__ import annotations

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Observed, Relative, check


@check(
    direction="at most",
    interval=True,
    advice="Below 1, scale the logits by a temperature above 1, fitted on the validation split; above 1, by one "
    "below 1.",
)
def calibration_slope(recalibration_slope: Statistic) -> Observed[Relative]:
    """How far is the recalibration slope from 1?

    Why it matters:
        Fine-tuning overfits probabilities long before it overfits ranks: too extreme ones have a slope below 1.

    Example:
        calibration_slope: {limit: 0.2, judge: point, with: {positive: [2, 3, 4]}}

    What the number means:
        The distance from 1 of the slope of a logistic regression of the outcome on the logit of the probability (Cox,
        Biometrika 1958); the slope itself is in the details. The variance is robust to several images a patient. No
        verdict where a threshold separates the classes: no finite slope fits then.
    """
    return observed(recalibration_slope)

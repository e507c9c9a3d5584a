"""`min_sensitivity`."""

from __future__ import annotations

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Fraction, Observed, check


@check(
    direction="at least",
    interval=True,
    advice="Lower the threshold if `min_specificity` leaves room; look at the images that are missed.",
)
def min_sensitivity(sensitivity: Statistic) -> Observed[Fraction]:
    """Which share of the positive images is found?

    Why it matters:
        A missed disease is what screening must not have. A share from 40 patients can be 15 points off.

    Example:
        min_sensitivity: {limit: 0.85, judge: bound, with: {positive: [2, 3, 4], threshold: 0.4}}

    What the number means:
        Positive images with a score of at least `threshold`, of all positive ones. The score is the sum of the
        probabilities of the classes in `positive`. The interval is Wilson's, with fewer images where those of a patient
        agree (Rao and Scott, Biometrics 1992). No verdict below `min_patients` (30) patients with a positive image. The
        threshold is part of the spec, so that it cannot be picked on these images.
    """
    return observed(sensitivity)

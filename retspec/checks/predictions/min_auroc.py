"""`min_auroc`."""

from __future__ import annotations

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Fraction, Observed, check


@check(
    direction="at least",
    interval=True,
    advice="Look at the images that are ranked wrong; compare with the area on the validation split, and with that "
    "of each subgroup.",
)
def min_auroc(auroc: Statistic) -> Observed[Fraction]:
    """How well do the scores rank positive images above negative ones?

    Why it matters:
        The area under the ROC curve is what most papers report, and often of so few patients that its second digit is
        chance. Two eyes of a patient are not two patients.

    Example:
        min_auroc: {limit: 0.9, judge: bound, with: {positive: [2, 3, 4]}}

    What the number means:
        The probability that a positive image has a higher score than a negative one; ties count a half. `positive`
        lists the positive classes by number or column; without it, and with more than two classes, it is the mean over
        each class against the others. The interval has the variance of Obuchowski (Biometrics 1997) for several images
        a patient, on the logit scale. No verdict below `min_patients` (30) patients of either kind: its lower end at a
        one-sided level of 0.95 covers in about 9 of 10 cases there. No verdict where a class has no image.
    """
    return observed(auroc)

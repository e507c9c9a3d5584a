"""`min_class_recall`."""

from __future__ import annotations

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Fraction, Observed, check


@check(
    direction="at least",
    interval=True,
    advice="Look at what the worst class is taken for; weight the loss, or draw rare classes more often.",
)
def min_class_recall(class_recalls: Statistic) -> Observed[Fraction]:
    """Which share of the worst class is recognized?

    Why it matters:
        Accuracy hides a class that is never predicted, and the rarest is often the one that matters.

    Example:
        min_class_recall: {limit: 0.6, judge: bound}

    What the number means:
        The lowest recall of all classes, where the class with the highest score counts. The lower end of the interval
        is the lowest of all classes, so that a rare class counts under `judge: bound`. No verdict where a class has no
        image, or fewer than `min_patients` (30) patients.
    """
    return observed(class_recalls)

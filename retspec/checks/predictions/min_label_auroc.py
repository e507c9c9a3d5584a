"""`min_label_auroc`."""

from __future__ import annotations

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Fraction, Observed, check


@check(
    direction="at least",
    interval=True,
    advice="Look at the worst label in the details: how many images have it, and which ones are ranked wrong.",
)
def min_label_auroc(label_aurocs: Statistic) -> Observed[Fraction]:
    """How well do the scores of the worst of several labels rank images that have it above those that do not?

    Why it matters:
        A mean over labels hides one that the model does not see, and labels with many images outvote rare ones.

    Example:
        min_label_auroc: {limit: 0.85, judge: bound}

    What the number means:
        The lowest area under the ROC curve of all `labels`, each against the images without it; the details list all,
        worst first. With `average: macro` it is their mean, each label alike. The interval has Obuchowski's variance
        (Biometrics 1997) for several images a patient; its lower end is the lowest of all labels, or that of
        the mean. No verdict where all images or none have a label, and below `min_patients` (30) patients with or
        without one.
    """
    return observed(label_aurocs)

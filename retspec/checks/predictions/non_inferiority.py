"""`non_inferiority`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Observed, check


@check(
    direction="at least",
    interval=True,
    advice="Look at the images that the baseline alone has right; keep the baseline, or gather patients until the "
    "interval is narrower than the margin.",
)
def non_inferiority(paired_difference: Statistic) -> Observed[Annotated[float, Meta(ge=-2, le=2)]]:
    """Is the model at most a margin worse than a baseline, on the same patients?

    Why it matters:
        Two numbers of two papers differ by their patients. On the same images most of what is chance is common to both
        models, so that a paired interval is far narrower than the intervals of each. A small p-value is no evidence
        that a model is as good, and a large one is none either: the margin has to be said before.

    Example:
        non_inferiority: {limit: -0.02, judge: bound, with: {baseline: old.csv, metric: auroc, positive: [2, 3, 4]}}

    What the number means:
        The metric of the judged predictions minus that of `baseline`, a file with the same columns and the same images.
        The limit is the margin with a minus sign, -0.02 for at most 0.02 worse; a positive one asks for a superior
        model. With `judge: bound` it is the test of non-inferiority of trials, one-sided at 0.025 for a `level` of 0.95
        (https://www.fda.gov/media/78504/download). `metric` is auroc (DeLong's variance of a difference, by patient as
        in Obuchowski, Biometrics 1997), sensitivity or specificity at a `threshold` or accuracy (Tango's interval,
        Statistics in Medicine 1998, with the effective number of images), or qwk (paired bootstrap of patients). Images
        that only one file has, or other labels, are an error. No verdict for a baseline that is not better than chance,
        for the same scores, and below `min_patients` (30) patients of a kind.
    """
    return observed(paired_difference)

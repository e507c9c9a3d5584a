"""`min_qwk`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Observed, check


@check(
    direction="at least",
    interval=True,
    advice="Look at the confusion matrix in the details: a class that is never predicted, or errors of several grades.",
)
def min_qwk(weighted_kappa: Statistic) -> Observed[Annotated[float, Meta(ge=-1, le=1)]]:
    """How well do predicted and true grades agree?

    Why it matters:
        Grades are ordered: to call a severe eye healthy is worse than to call it moderate. The quadratic weighted kappa
        is the measure of most challenges on diabetic retinopathy.

    Example:
        min_qwk: {limit: 0.8, judge: bound}

    What the number means:
        Cohen's kappa with quadratic weights over all classes that `scores` names, in their order: 1 is full agreement,
        0 that of chance. The interval is a bootstrap of 2,000 samples of patients, always the same ones. No verdict
        where all images have one true class or all get one predicted class: libraries give NaN or 0 there.
    """
    return observed(weighted_kappa)

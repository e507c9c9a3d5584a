"""`min_gain_over_prevalence`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Observed, check


@check(
    direction="at least",
    interval=True,
    advice="Check that labels and scores belong to the same images; recalibrate where `min_auroc` is high all the "
    "same.",
)
def min_gain_over_prevalence(brier_skill: Statistic) -> Observed[Annotated[float, Meta(le=1, extra={"rare": -10})]]:
    """How much better are the probabilities than the prevalence alone?

    Why it matters:
        Where 95 of 100 images are healthy, a model that says so of each has a small error. What it adds is what counts.

    Example:
        min_gain_over_prevalence: {limit: 0.2, judge: bound, with: {positive: [2, 3, 4]}}

    What the number means:
        The Brier skill score: the share of the squared error of a predictor that knows only the prevalence of these
        images that the model takes away. 1 is perfect, 0 is no gain; below 0 it is worse. No verdict where all images
        have one class, or all scores are equal.
    """
    return observed(brier_skill)

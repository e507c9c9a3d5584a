"""`max_brier`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Observed, check


@check(
    direction="at most",
    interval=True,
    advice="Compare `max_calibration_error` and `min_auroc`: recalibrate where the ranks are right.",
)
def max_brier(brier_score: Statistic) -> Observed[Annotated[float, Meta(ge=0, le=2)]]:
    """How large is the squared error of the probabilities?

    Why it matters:
        Both ranks and calibration enter it: the one number for probabilities that are used as such.

    Example:
        max_brier: {limit: 0.1, judge: bound, with: {positive: [2, 3, 4]}}

    What the number means:
        The mean squared difference between probability and outcome; of several classes, summed over them, between 0 and
        2. It depends on the prevalence: the details have that of a predictor that knows only that, and the skill
        against it; see `min_gain_over_prevalence`.
    """
    return observed(brier_score)

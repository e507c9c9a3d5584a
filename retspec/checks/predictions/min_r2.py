"""`min_r2`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Observed, check


@check(
    direction="at least",
    interval=True,
    advice="Where the correlation in the details is far higher, the values are in another unit or shifted; otherwise "
    "train longer, or look at the labels.",
)
def min_r2(explained_variance: Statistic) -> Observed[Annotated[float, Meta(le=1, extra={"rare": -1})]]:
    """Which share of the squared error of the mean do predicted values take away?

    Why it matters:
        A correlation is blind to a wrong unit and to a shift; R² is not, and is below 0 for a model that is worse than
        the mean of all patients.

    Example:
        min_r2: {limit: 0.7, judge: bound}

    What the number means:
        1 minus the squared errors of `values` divided by those of the mean of `label`, as `r2_score` of scikit-learn.
        The interval is a bootstrap of patients. It depends on how much the true values vary: another age range has
        another R² with the same errors. No verdict where all true or all predicted values are the same, and below
        `min_patients` (30) patients.
    """
    return observed(explained_variance)

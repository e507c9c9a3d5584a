"""`max_error_gap`."""

from __future__ import annotations

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Amount, Observed, check


@check(
    direction="at most",
    interval=True,
    advice="Look at the worst pair in the details; gather images of that subgroup for the training.",
)
def max_error_gap(error_gaps: Statistic) -> Observed[Amount]:
    """How far apart are the errors of predicted values of two subgroups?

    Why it matters:
        A mean error of all patients hides that one camera, or one sex, has twice the error of the other.

    Example:
        max_error_gap: {limit: 1.5, judge: bound}

    What the number means:
        The largest difference of the mean absolute error, in the unit of the values, between two values of a column in
        `subgroups`; with `metric: r2`, of R², which also falls where the true values of a subgroup vary less. The
        interval of a difference of means is normal, with the variance between patients; that of R² is a bootstrap of
        patients. Its upper end is the highest of all pairs. No verdict where a subgroup has fewer than `min_patients`
        (30) patients. A blank cell is a subgroup of its own.
    """
    return observed(error_gaps)

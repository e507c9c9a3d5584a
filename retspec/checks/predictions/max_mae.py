"""`max_mae`."""

from __future__ import annotations

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Amount, Observed, check


@check(
    direction="at most",
    interval=True,
    advice="Compare both means in the details: another unit or a normalization that was not undone shows there.",
)
def max_mae(absolute_error: Statistic) -> Observed[Amount]:
    """How far are predicted values from the true ones?

    Why it matters:
        A loss on normalized targets says nothing in years or micrometres, and a model that predicts the median of all
        patients is often not far off.

    Example:
        max_mae: {limit: 4.5, judge: bound}

    What the number means:
        The mean absolute error of `values` against `label`, in their unit; the details have that of the median of the
        true values, which a model that knows nothing reaches. The interval is normal, with the variance between
        patients. No verdict where every predicted value is the same, and below `min_patients` (30) patients.
    """
    return observed(absolute_error)

"""`limits_of_agreement`."""

from __future__ import annotations

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Amount, Observed, check


@check(
    direction="at most",
    interval=True,
    advice="Correct the bias in the details if there is one; otherwise look at the images with the largest errors.",
)
def limits_of_agreement(agreement_limits: Statistic) -> Observed[Amount]:
    """Within which distance of the true value are 95 of 100 predicted ones?

    Why it matters:
        A mean error hides how far off a single patient may be, which is what a measurement is used for.

    Example:
        limits_of_agreement: {limit: 10, judge: bound}

    What the number means:
        The limit of agreement of Bland and Altman (Lancet 1986;327:307-310) that is farther from zero: bias ± 1.96
        standard deviations of `values` minus `label`, in their unit. All images together give the deviation, so that
        errors between and within patients are in it; the interval is a bootstrap of patients. It supposes errors that
        are about normal and as large for all values. No verdict where every predicted value is the same, and below
        `min_patients` (30) patients.
    """
    return observed(agreement_limits)

"""`max_subgroup_gap`."""

from __future__ import annotations

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Fraction, Observed, check


@check(
    direction="at most",
    interval=True,
    advice="Look at the worst pair in the details; gather images of that subgroup, and do not set thresholds by "
    "subgroup unseen.",
)
def max_subgroup_gap(subgroup_gaps: Statistic) -> Observed[Fraction]:
    """How far apart are sensitivity and false alarms of two subgroups at one threshold?

    Why it matters:
        Subgroups can have the same area under the curve and opposite errors at the threshold that is used.

    Example:
        max_subgroup_gap: {limit: 0.1, judge: bound, with: {positive: [2, 3, 4], threshold: 0.4}}

    What the number means:
        The largest difference of sensitivity, or of 1 - specificity, between two values of a column in `subgroups`. The
        interval is that of Newcombe; its upper end is the highest of all pairs. No verdict where a subgroup has fewer
        than `min_patients` (30) patients of either kind: what cannot be seen is no fairness. A blank cell is a subgroup
        of its own.
    """
    return observed(subgroup_gaps)

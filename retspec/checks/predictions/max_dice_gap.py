"""`max_dice_gap`."""

from __future__ import annotations

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Fraction, Observed, check


@check(
    direction="at most",
    interval=True,
    advice="Look at the masks of the worst pair in the details; gather images of that subgroup for the training.",
)
def max_dice_gap(dice_gaps: Statistic) -> Observed[Fraction]:
    """How far apart is the overlap of masks in two subgroups?

    Why it matters:
        A mean Dice of all cases hides one device whose images the model cannot segment.

    Example:
        max_dice_gap: {limit: 0.1, judge: bound}

    What the number means:
        The largest difference of the mean Dice of a structure between two values of a column in `subgroups`, of all
        structures; see `min_dice` for cases without one. The interval of the difference is normal, with the variance
        between patients; its upper end is the highest of all pairs. No verdict where a structure has no row for a case,
        or a subgroup fewer than `min_patients` (30) patients with the structure. A blank cell is a subgroup of its own.
    """
    return observed(dice_gaps)

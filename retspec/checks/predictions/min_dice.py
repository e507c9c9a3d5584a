"""`min_dice`."""

from __future__ import annotations

from retspec.checks.predictions._reading import observed
from retspec.facts import Statistic
from retspec.plugin import Fraction, Observed, check


@check(
    direction="at least",
    interval=True,
    advice="Look at the cases with the lowest Dice, and at those where the structure is absent and was predicted.",
)
def min_dice(dice_scores: Statistic) -> Observed[Fraction]:
    """How well do predicted masks of the worst structure overlap with the true ones?

    Why it matters:
        A mean over structures hides a small one that is never found. Libraries count a case without the structure as 1,
        as 0 or not at all, which moves the mean by more than a better model does
        (https://doi.org/10.1038/s41592-023-02151-z).

    Example:
        min_dice: {limit: 0.8, judge: bound}

    What the number means:
        2 TP / (2 TP + FP + FN) of each case by `counts`, as a mean over cases, of the structure where that is lowest.
        A case whose true and predicted masks are both empty has no Dice: it is left out, and the details say how many
        are. One that is predicted where there is none counts 0. The interval is normal, with the variance between
        patients (`group`), and its lower end the lowest of all structures. No verdict where a structure is in no case,
        or has no row for one, and below `min_patients` (30) patients.
    """
    return observed(dice_scores)

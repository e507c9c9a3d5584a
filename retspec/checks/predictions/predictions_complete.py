"""`predictions_complete`."""

from __future__ import annotations

from retspec.checks.predictions._reading import counted
from retspec.facts import Statistic
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="images",
    default_limit=0,
    advice="Write one row for each image of the split: remove what a sampler repeated, and predict what was left out.",
)
def predictions_complete(completeness: Statistic) -> Observed[Count]:
    """Has each image of the split one row, with scores?

    Why it matters:
        Samplers of distributed training repeat images so that each rank has as many
        (https://github.com/pytorch/pytorch/issues/25162), and a script that skips what it cannot read leaves images
        out: numbers over such a table are about other images.

    Example:
        predictions_complete: {with: {listed_in: test_split.csv}}

    What the number means:
        Images that are missing, that have more than one row, that the split does not have, and rows with a score that
        is blank, NaN or infinite. `listed_in` names a table of the images that the split should have; by default it is
        that split of `data`. Without a list, a missing image cannot be seen, and a limit that is met has no verdict.
    """
    return counted(completeness)

"""`unmerge_atol`."""

from __future__ import annotations

from retspec.checks.numerics._reading import Atol, merging_details
from retspec.facts import Merging, Unmerging
from retspec.plugin import Observed, check


@check(
    direction="at most",
    advice="Unmerging is exact up to rounding; a larger difference means that merge and unmerge do not mirror each "
    "other. Reload the base weights instead of unmerging.",
)
def unmerge_atol(merging: Merging, unmerging: Unmerging) -> Observed[Atol]:
    """Does unmerging the adapter restore the outputs?

    Why it matters:
        Scripts merge for validation and unmerge to go on training. Whatever is left behind goes into the training.

    Example:
        unmerge_atol: 1e-5

    What the number means:
        Largest absolute difference of an output before merging and after merging and unmerging. Healthy: about 1e-6.
    """
    return Observed(unmerging.difference, merging_details(merging))

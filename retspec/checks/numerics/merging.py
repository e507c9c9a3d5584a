"""`merge_atol` and `unmerge_atol`: does the merged model say the same?"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.facts import Merging
from retspec.plugin import Inconclusive, Observed, check

Atol = Annotated[float, Meta(ge=0)]

LEAST_EFFECT = 1e-3
"""Effect of the adapter, as a fraction of the output, under which merging it could not show a fault."""


def _details(merging: Merging) -> dict[str, object]:
    if merging.effect < LEAST_EFFECT * merging.scale:
        raise Inconclusive(
            f"the adapter changes the output by {merging.effect:.1e} of {merging.scale:.1e} only, so that losing it "
            "while merging would not show"
        )
    details: dict[str, object] = {"effect": merging.effect, "largest output": merging.scale}
    if merging.layers:
        worst = merging.layers[0]
        details["worst layer"] = f"{worst.name} (weights off by {worst.deviation:.1e})"
    return details


@check(
    direction="at most",
    advice="Look at the worst layer in the details: if its weights are off, its merge is wrong or was skipped; if none "
    "is, compare dropout, scaling (alpha / r) and dtype of the two paths.",
)
def merge_atol(merging: Merging) -> Observed[Atol]:
    """Does the merged model give the same outputs as the adapter?

    Why it matters:
        What is deployed is often the merged model. A layer that merging dropped makes it another model than the one
        that was validated.

    Example:
        merge_atol: 1e-5

    What the number means:
        Largest absolute difference of an output, eval mode, in single precision (weights in half precision are cast
        up, where a dropped layer would hide in the rounding). Factors that start at zero get random values first, or
        there would be nothing to merge. Healthy: about 1e-6.
    """
    return Observed(merging.merged, _details(merging))


@check(
    direction="at most",
    advice="Unmerging is exact up to rounding; a larger difference means that merge and unmerge do not mirror each "
    "other. Reload the base weights instead of unmerging.",
)
def unmerge_atol(merging: Merging) -> Observed[Atol]:
    """Does taking the adapter out again restore the outputs?

    Why it matters:
        Scripts merge for validation and unmerge to go on training. Whatever is left behind trains on.

    Example:
        unmerge_atol: 1e-5

    What the number means:
        Largest absolute difference of an output before merging and after merging and unmerging. Healthy: about 1e-6.
    """
    return Observed(merging.unmerged, _details(merging))

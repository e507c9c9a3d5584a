"""`nonfinite_weights`."""

from __future__ import annotations

from retspec.facts import Checkpoint
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="tensors",
    default_limit=0,
    advice="Do not use this file: it was saved after a training had diverged, or it is damaged. Use an earlier one.",
)
def nonfinite_weights(checkpoint: Checkpoint) -> Observed[Count]:
    """Are the weights of the checkpoint finite?

    Why it matters:
        A file saved after a divergence loads without an error, and every output is NaN.

    Example:
        nonfinite_weights: 0

    What the number means:
        Loaded tensors that hold NaN or infinity.
    """
    return Observed(len(checkpoint.nonfinite), {"not finite": list(checkpoint.nonfinite)})

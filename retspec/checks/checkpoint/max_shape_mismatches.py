"""`max_shape_mismatches`."""

from __future__ import annotations

from retspec.checks.checkpoint._reading import Allow, not_allowed
from retspec.facts import Checkpoint
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="tensors",
    default_limit=0,
    advice="Use the architecture, patch size and number of classes that the file was made with; position embeddings "
    "are resampled where timm can do that.",
)
def max_shape_mismatches(checkpoint: Checkpoint, *, allow: Allow = []) -> Observed[Count]:  # noqa: B006 - read only
    """How many weights have the right name but the wrong shape?

    Why it matters:
        They are not loaded, and stay random.

    Example:
        max_shape_mismatches: 0

    What the number means:
        Tensors whose shape in the file is not that in the model, except those that are allowed. Position embeddings
        that were resampled, as timm does for its own vision transformers, do not count.
    """
    mismatches = {each.name: each for each in checkpoint.loading.mismatches}
    names = not_allowed(mismatches, allow)
    shapes = [f"{name}: {mismatches[name].in_file} in the file, {mismatches[name].in_model} here" for name in names]
    return Observed(len(names), {"mismatches": shapes})

"""`backbone_matches_file`."""

from __future__ import annotations

from retspec.facts import Checkpoint
from retspec.plugin import Inconclusive, Observed, check


@check(
    direction="equal",
    default_limit=True,
    advice="Load the checkpoint before wrapping the model, and look for code that initializes or replaces layers "
    "afterwards; the details name the tensors that differ.",
)
def backbone_matches_file(checkpoint: Checkpoint) -> Observed[bool]:
    """Are the frozen weights still those of the file after wrapping?

    Why it matters:
        Wrapping, quantizing and patching replace layers. A backbone whose linear layers were replaced by fresh ones
        trains, but has lost its pre-training.

    Example:
        backbone_matches_file: true

    What the number means:
        True when every frozen tensor that the file filled equals the file bit by bit, in the model's dtype.
    """
    if not checkpoint.compared:
        raise Inconclusive("nothing that the file filled is frozen, so there is nothing that must stay as it was")
    return Observed(not checkpoint.altered, {"altered": list(checkpoint.altered), "compared": checkpoint.compared})

"""`max_unexpected_keys`."""

from __future__ import annotations

from retspec.checks.checkpoint._reading import Allow, not_allowed
from retspec.facts import Checkpoint
from retspec.plugin import Observed, check


@check(
    direction="at most",
    unit="keys",
    advice="Allow what belongs to pre-training (`with: {allow: [decoder_, mask_token]}`); other keys mean another "
    "architecture than the file was made with.",
)
def max_unexpected_keys(checkpoint: Checkpoint, *, allow: Allow = []) -> Observed[int]:  # noqa: B006 - read only
    """Which weights of the checkpoint has the model no place for?

    Why it matters:
        What the file holds beyond the model was trained with it. The decoder of a masked autoencoder may go; a
        normalization layer that the model calls differently is lost.

    Example:
        max_unexpected_keys: {limit: 0, with: {allow: [decoder_, mask_token]}}

    What the number means:
        Names of the file that the model lacks, without those that are allowed.
    """
    unexpected = not_allowed(checkpoint.loading.unexpected, allow)
    return Observed(len(unexpected), {"unexpected": unexpected})

"""`max_unexpected_keys`."""

from __future__ import annotations

from retspec.checks.checkpoint._reading import Allow, not_allowed
from retspec.facts import Checkpoint
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="keys",
    advice="Allow what belongs to pre-training (`with: {allow: [decoder_, mask_token]}`); other keys mean a different"
    " architecture from the file's.",
)
def max_unexpected_keys(checkpoint: Checkpoint, *, allow: Allow = []) -> Observed[Count]:  # noqa: B006 - read only
    """How many weights of the checkpoint have no place in the model?

    Why it matters:
        Everything in the file was trained together. The decoder of a masked autoencoder
        (https://arxiv.org/abs/2111.06377) is not needed; a normalization layer under another name is lost.

    Example:
        max_unexpected_keys: {limit: 0, with: {allow: [decoder_, mask_token]}}

    What the number means:
        Names of the file that the model lacks, except those that are allowed.
    """
    unexpected = not_allowed(checkpoint.loading.unexpected, allow)
    return Observed(len(unexpected), {"unexpected": unexpected})

"""`max_missing_keys`."""

from __future__ import annotations

from retspec.checks.checkpoint._reading import Allow, not_allowed
from retspec.facts import Checkpoint
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="keys",
    advice="Allow what is meant to be fresh (`with: {allow: ['head[.]']}`); for anything else use the architecture "
    "that the checkpoint was made with.",
)
def max_missing_keys(checkpoint: Checkpoint, *, allow: Allow = []) -> Observed[Count]:  # noqa: B006 - read only
    """How many weights of the model does the checkpoint lack?

    Why it matters:
        Missing weights stay random. For a head that is fine; for a normalization layer that is missing because the
        pooling differs, it is not.

    Example:
        max_missing_keys: {limit: 0, with: {allow: ["head[.]"]}}

    What the number means:
        Names of the model that the file lacks, except those that are allowed.
    """
    missing = not_allowed(checkpoint.loading.missing, allow)
    return Observed(len(missing), {"missing": missing})

"""`retfound_pooling`."""

from __future__ import annotations

from retspec.plugin import Amount, Observed, check

from retspec_retfound.contracts import CONTRACTS
from retspec_retfound.facts import Tail


@check(
    direction="at most",
    default_limit=1e-5,
    shorthand="backbone",
    advice="Build the model with `model: {retfound: ...}`, or compare its pooling and norm with that model: the "
    "details name the reference that the features come closest to, and the norms that ran.",
)
def retfound_pooling(retfound_tail: Tail) -> Observed[Amount]:
    """Do pooling and norm make the features that the backbone was trained for?

    Why it matters:
        A state dict fits several models: with the norm before or after the pooling, with `fc_norm` applied once or, by
        the authors' class under some versions of timm, twice, with the class token or the mean of the patches. All of
        them load without a missing key but give other features; a fresh head trains on any of them.

    Example:
        retfound_pooling: large

    What the number means:
        Known tokens replace the last block's output. The number is the largest absolute difference between the features
        that enter the head, which may begin with a norm of its own, and those of the reference, written out in double
        precision: `large` the mean of the patches and then the norm, `dinov2` the norm and then the class token,
        `green` the norm and then the mean of the patches. Healthy: below 1e-6. An epsilon of 1e-5 in the norm, where it
        was 1e-6, shows as well.
    """
    reference = CONTRACTS[retfound_tail.backbone].tail
    nearest = min(retfound_tail.differences, key=lambda way: retfound_tail.differences[way])
    details = {
        "reference": reference,
        "nearest": f"{nearest} (differs by {retfound_tail.differences[nearest]:.3g})",
        "seen": retfound_tail.place,
        "norms behind the blocks": list(retfound_tail.norms),
    }
    return Observed(retfound_tail.differences[reference], details)

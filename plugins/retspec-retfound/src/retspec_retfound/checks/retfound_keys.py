"""`retfound_keys`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from retspec.facts import Checkpoint
from retspec.plugin import Count, Observed, check

from retspec_retfound.contracts import CONTRACTS, Backbone

if TYPE_CHECKING:
    from collections.abc import Iterable


POSITIONS = "pos_embed"
"""What may be resampled: the image has another size then."""


@check(
    direction="at most",
    unit="keys",
    default_limit=0,
    shorthand="backbone",
    advice="Build the model that the file was made for (`model: {retfound: ...}` does): other pooling moves the norm, "
    "another depth or width leaves blocks out, chunked names (`blocks.0.3.`) belong to an unfinished training.",
)
def retfound_keys(checkpoint: Checkpoint, *, backbone: Backbone) -> Observed[Count]:
    """Did everything load that this kind of checkpoint holds?

    Why it matters:
        Loading that is not strict has to accept a fresh head and the decoder of the pre-training. It then also accepts
        losing a norm that the chosen pooling has no place for, and the features are no longer those of the backbone.

    Example:
        retfound_keys: large

    What the number means:
        Names that the model lacks or the file lacks, whose shapes differ, that timm resampled for patches of another
        size, or whose frozen weights are not the file's. Expected differences do not count: `large` may lack head and
        fc_norm and hold decoder, mask token and norm; `dinov2` may lack the head and hold a mask token and the heads of
        DINO and iBOT; `green` may lack the head.
    """
    contract, loading = CONTRACTS[backbone], checkpoint.loading
    missing = _beyond(loading.missing, contract.missing)
    unexpected = _beyond(loading.unexpected, contract.unexpected)
    mismatches = [f"{each.name}: {each.in_file} in the file, {each.in_model} here" for each in loading.mismatches]
    # timm resamples patches too, silently: a file for another patch size.
    patches = [name for name in loading.resampled if name != POSITIONS]
    found = {
        "missing": missing,
        "unexpected": unexpected,
        "of another shape": mismatches,
        "made for other patches": patches,
        "not as in the file": list(checkpoint.altered),
    }
    return Observed(sum(map(len, found.values())), found)


def _beyond(names: Iterable[str], patterns: Iterable[str]) -> list[str]:
    return [name for name in names if not any(re.search(pattern, name) for pattern in patterns)]

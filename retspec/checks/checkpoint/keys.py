"""`checkpoint_coverage`, `max_missing_keys`, `max_unexpected_keys` and `max_shape_mismatches`: what fitted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.facts import Checkpoint
from retspec.plugin import Observed, check
from retspec.records import Fraction

if TYPE_CHECKING:
    from collections.abc import Iterable

Allow = Annotated[list[str], Meta(description="Regular expressions; a key in which one is found does not count.")]


def _counted(keys: Iterable[str], allow: list[str]) -> list[str]:
    return [key for key in keys if not any(re.search(pattern, key) for pattern in allow)]


@check(
    direction="at least",
    advice="Compare the keys in the details: a wrapper that was not opened or a prefix that stayed on leaves the "
    "model random; another architecture leaves part of it random.",
)
def checkpoint_coverage(checkpoint: Checkpoint) -> Observed[Fraction]:
    """How much of the model did the checkpoint really fill?

    Why it matters:
        `load_state_dict(strict=False)` loads nothing, without a word, when the names do not match. The model then
        trains from random weights, and a small dataset never tells.

    Example:
        checkpoint_coverage: 0.99

    What the number means:
        Elements that were filled from the file, as a fraction of all elements of the model before an adapter wraps it.
        A fresh head of five classes leaves a ViT-L at 0.99998. With `model.fill: false`, where a factory loads the
        file itself, elements of tensors that equal the file; fresh norms and biases do so by chance.
    """
    loading = checkpoint.loading
    details = {
        "format": loading.format,
        "under the key": loading.wrapper or "none",
        "prefixes taken off": list(loading.prefixes),
        "missing": list(loading.missing),
        "unexpected": list(loading.unexpected),
        "resampled": list(loading.resampled),
        "unusable": list(loading.unusable),
    }
    return Observed(loading.loaded_elements / max(loading.model_elements, 1), details)


@check(
    direction="at most",
    unit="keys",
    advice="Allow what is meant to be fresh (`with: {allow: ['head[.]']}`); for anything else take the architecture "
    "that the checkpoint was made with.",
)
def max_missing_keys(checkpoint: Checkpoint, *, allow: Allow = []) -> Observed[int]:  # noqa: B006 - read only
    """Which weights of the model does the checkpoint lack?

    Why it matters:
        What is missing stays random. A head may; a normalization layer that is missing because the pooling differs must
        not.

    Example:
        max_missing_keys: {limit: 0, with: {allow: ["head[.]"]}}

    What the number means:
        Names of the model that the file lacks, without those that are allowed.
    """
    missing = _counted(checkpoint.loading.missing, allow)
    return Observed(len(missing), {"missing": missing})


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
    unexpected = _counted(checkpoint.loading.unexpected, allow)
    return Observed(len(unexpected), {"unexpected": unexpected})


@check(
    direction="at most",
    unit="tensors",
    default_limit=0,
    advice="Take the architecture, patch size and number of classes that the file was made with; position embeddings "
    "are resampled where timm knows how.",
)
def max_shape_mismatches(checkpoint: Checkpoint, *, allow: Allow = []) -> Observed[int]:  # noqa: B006 - read only
    """Which weights have the right name and the wrong shape?

    Why it matters:
        They are left out, and stay random.

    Example:
        max_shape_mismatches: 0

    What the number means:
        Tensors whose shape in the file is not that in the model, without those that are allowed. Position embeddings
        that were resampled are not among them.
    """
    mismatches = {each.name: each for each in checkpoint.loading.mismatches}
    names = _counted(mismatches, allow)
    shapes = [f"{name}: {mismatches[name].in_file} in the file, {mismatches[name].in_model} here" for name in names]
    return Observed(len(names), {"mismatches": shapes})

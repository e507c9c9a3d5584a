"""`checkpoint_coverage`."""

from __future__ import annotations

from retspec.facts import Checkpoint
from retspec.plugin import Observed, check
from retspec.records import Fraction


@check(
    direction="at least",
    advice="Compare the keys in the details: a wrapper that was not opened or a prefix that was not removed leaves "
    "the whole model random; a different architecture leaves part of it random.",
)
def checkpoint_coverage(checkpoint: Checkpoint) -> Observed[Fraction]:
    """How much of the model did the checkpoint fill?

    Why it matters:
        `load_state_dict(strict=False)` (https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html) loads
        nothing, without a warning, when the names do not match. The model then trains from random weights, and on a
        small dataset nobody notices.

    Example:
        checkpoint_coverage: 0.99

    What the number means:
        Elements that were filled from the file, as a fraction of all elements of the model before an adapter wraps it.
        A fresh head of five classes leaves a ViT-L at 0.99998. With `model.fill: false`, where a factory loads the file
        itself, elements of tensors that equal the file; fresh norms and biases do so by chance.
    """
    loading = checkpoint.loading
    details = {
        "format": loading.format,
        "under the key": loading.wrapper or "none",
        "prefixes taken off": list(loading.prefixes),
        "weights are": ", ".join(f"{dtype} ({number} tensors)" for dtype, number in loading.dtypes.items()) or "none",
        "other sets in the file": list(loading.others),
        "missing": list(loading.missing),
        "of another shape": [
            f"{each.name}: {each.in_file} in the file, {each.in_model} here" for each in loading.mismatches
        ],
        "unexpected": list(loading.unexpected),
        "resampled": list(loading.resampled),
        "unusable": list(loading.unusable),
    }
    return Observed(loading.loaded_elements / max(loading.model_elements, 1), details)

"""`val_loader_augments`."""

from __future__ import annotations

from retspec.checks.loaders._reading import augmentation
from retspec.facts import ItemReads
from retspec.plugin import Observed, check


@check(
    direction="equal",
    default_limit=False,
    advice="Give validation a dataset of its own with a transform that draws nothing: two datasets over the same "
    "files, each cut by a `Subset`.",
)
def val_loader_augments(val_reads: ItemReads) -> Observed[bool]:
    """Does the validation loader augment?

    Why it matters:
        A validation on augmented images measures another task, and another one each time: its best epoch is partly
        luck. Both halves of a `random_split` share one transform
        (https://github.com/udacity/deep-learning-v2-pytorch/issues/132).

    Example:
        val_loader_augments: false

    What the number means:
        True when an item of the validation dataset differs between reads of the same item: 16 items, spread over the
        dataset, each read 4 times and collated as the loader does it. No verdict for a stream, whose items cannot be
        read again.
    """
    details = {**augmentation(val_reads), "positions that differ": [*val_reads.differing]}
    return Observed(bool(val_reads.differing), details)

"""`train_loader_augments`."""

from __future__ import annotations

from retspec.checks.loaders._reading import augmentation
from retspec.facts import ItemReads
from retspec.plugin import Observed, check


@check(
    direction="equal",
    default_limit=True,
    advice="Give the training dataset its transform: look for one dataset behind both loaders, as `random_split` makes "
    "it, for a cache that keeps transformed items, and for a seed that is set at each item.",
)
def train_loader_augments(train_reads: ItemReads) -> Observed[bool]:
    """Does the training loader augment?

    Why it matters:
        Both halves of a `random_split` share one dataset, and so its transform: set it for validation, and nothing
        augments the training any more
        (https://github.com/pytorch/pytorch/issues/56886). The loss falls all the faster.

    Example:
        train_loader_augments: true

    What the number means:
        True when an item of the training dataset differs between reads of the same item: 16 items, spread over the
        dataset, each read 4 times and collated as the loader does it, so that mixing in `collate_fn` counts. No verdict
        for a stream, whose items cannot be read again.
    """
    return Observed(bool(train_reads.differing), augmentation(train_reads))

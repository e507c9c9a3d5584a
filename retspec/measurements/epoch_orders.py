"""The measurement `epoch_orders`."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from retspec.errors import Inconclusive
from retspec.facts import DistributedRun, EpochOrders
from retspec.plugin import Cost, PositiveInt, measurement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retspec.subjects.data.user_loaders import UserLoader, UserLoaders

LEAST = 6
"""Samples: a shuffle of fewer gives the same order twice more often than once in 720 times."""


@measurement(cost=Cost.FORWARD)
def epoch_orders(
    epochs: UserLoaders | DistributedRun,
    *,
    batches: Annotated[PositiveInt, Meta(description="Batches at the start of an epoch to compare.")] = 4,
) -> EpochOrders:
    """Compare the order of samples at the start of two epochs of the training loader.

    Of a DataLoader over a dataset with keys, the sampler is asked for them, and nothing is read. Of anything else, the
    targets of its batches are compared: augmentation leaves them unchanged, as a rule. Of a training on several ranks,
    it is what the samplers drew while it ran.
    """
    if isinstance(epochs, DistributedRun):
        return _by_ranks(epochs)
    loader = epochs.train
    try:
        sampler = _sampled(loader)
    except Inconclusive:
        return _by_targets(loader, batches)
    first, second = (_start(sampler, batches, loader) for _ in range(2))
    samples = len(loader.keys())
    if len(first) < LEAST:
        raise Inconclusive(f"{len(first)} samples are too few to see whether their order changes")
    seeders = _set_epochs(loader)
    if first != second or not seeders:
        return EpochOrders(loader.name, len(first), samples, first == second, "keys", needs_set_epoch=False)
    starts = []
    for epoch in range(2):
        for set_epoch in seeders:
            set_epoch(epoch)
        starts.append(_start(sampler, batches, loader))
    repeats = starts[0] == starts[1]
    return EpochOrders(loader.name, len(first), samples, repeats, "keys", needs_set_epoch=not repeats)


def _by_ranks(run: DistributedRun) -> EpochOrders:
    """Compare, on each rank, the positions that the sampler drew in one epoch with those of the next."""
    compared = 0
    for rank, first, second in run.pairs_of_passes():
        both = min(len(first.positions), len(second.positions))
        compared = max(compared, both)
        if both >= LEAST and first.positions[:both] == second.positions[:both]:
            samples = len(first.positions) if first.ended else None
            return EpochOrders(f"rank {rank}", both, samples, repeats=True, compared_by="keys", needs_set_epoch=False)
    if compared < LEAST:
        raise Inconclusive(
            f"the {len(run.sound[0].trace.losses)} steps that were watched show {compared} samples of a second epoch; "
            "raise `train.steps`"
        )
    return EpochOrders("each rank", compared, None, repeats=False, compared_by="keys", needs_set_epoch=False)


def _sampled(loader: UserLoader) -> Any:
    given = loader.items
    return given.sampler if given.batch_sampler is None else given.batch_sampler


def _start(sampler: Any, batches: int, loader: UserLoader) -> list[str]:
    """Return the keys of the first batches of an epoch."""
    if loader.items.batch_sampler is None:
        return [str(key) for key in islice(sampler, max(batches, 4 * LEAST))]
    return [str(key) for batch in islice(sampler, batches) for key in batch]


def _set_epochs(loader: UserLoader) -> list[Callable[[int], None]]:
    """Return `set_epoch` of the sampler, and of those that it wraps, where there is one.

    See https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.distributed.DistributedSampler
    """
    given = loader.items
    samplers: list[Any] = [given.sampler, given.batch_sampler, getattr(given.batch_sampler, "sampler", None)]
    unique = {id(each): each for each in samplers if hasattr(each, "set_epoch")}
    return [each.set_epoch for each in unique.values()]


def _by_targets(loader: UserLoader, batches: int) -> EpochOrders:
    first, second = ([*_targets(loader, batches)] for _ in range(2))
    compared = min(len(first), len(second))
    if compared < LEAST or len(set(first)) < 2:  # noqa: PLR2004 - of one class
        raise Inconclusive(f"{compared} targets of {len(set(first))} values are too few to see their order")
    return EpochOrders(loader.name, compared, None, first == second, "targets", needs_set_epoch=False)


def _targets(loader: UserLoader, batches: int) -> Iterator[str]:
    for _, targets in islice(loader.epoch(), batches):
        yield from map(str, targets.tolist())

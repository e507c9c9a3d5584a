"""`ranks_share_samples`."""

from __future__ import annotations

from itertools import combinations

from retspec.facts import DistributedRun
from retspec.plugin import Count, Inconclusive, Observed, check


@check(
    direction="at most",
    unit="samples",
    default_limit=0,
    advice="Give each DataLoader a DistributedSampler, or let the library prepare it; seed augmentation differently on "
    "each rank.",
)
def ranks_share_samples(distributed_run: DistributedRun) -> Observed[Count]:
    """Is each rank fed samples of its own?

    Why it matters:
        Without a DistributedSampler
        (https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.distributed.DistributedSampler) every rank
        reads the whole dataset: the same batch enters the same step many times, for the price of a larger one.

    Example:
        ranks_share_samples: 0

    What the number means:
        Samples, summed over the watched steps, that entered the model on more than one rank in the same step, equal bit
        by bit. So augmentation that draws alike on all ranks (https://github.com/huggingface/transformers/issues/37932)
        is seen only where the samples are the same, too, and the same sample is missed where it is augmented
        differently: the details name positions of the dataset that two ranks drew in one epoch. Samples of a single
        value, such as blank images, do not count. Sampling with replacement shares some by chance: allow for them.
    """
    ranks = distributed_run.sound
    steps = min(len(each.samples) for each in ranks)
    shared = [_shared([each.samples[step] for each in ranks]) for step in range(steps)]
    seen = sum(len(step) for each in ranks for step in each.samples[:steps])
    if not seen:
        raise Inconclusive("no sample of more than one value entered the model")
    first = {"first in step": next(i for i, n in enumerate(shared, 1) if n)} if any(shared) else {}
    details = {"samples": seen, "positions in common": _positions(distributed_run), **first}
    return Observed(sum(shared), {**details, **distributed_run.extent})


def _shared(batches: list[tuple[str, ...]]) -> int:
    """Return how many different samples are in more than one batch."""
    return len({sample for one, other in combinations(map(set, batches), 2) for sample in one & other})


def _positions(run: DistributedRun) -> int:
    """Return the most positions that two ranks drew in the same epoch."""
    epochs = zip(*(each.passes for each in run.ranks), strict=False)
    pairs = (pair for epoch in epochs for pair in combinations(epoch, 2))
    return max((len({*one.positions} & {*other.positions}) for one, other in pairs), default=0)

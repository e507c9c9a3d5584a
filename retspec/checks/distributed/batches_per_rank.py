"""`batches_per_rank`."""

from __future__ import annotations

from retspec.facts import DistributedRun, RankTrace
from retspec.plugin import Count, Inconclusive, Observed, check


@check(
    direction="at most",
    unit="batches",
    default_limit=0,
    advice="Let DistributedSampler divide the data: it makes all shares equal. With shards or streams of your own, end "
    "each epoch after the same number of batches, or use `torch.distributed.algorithms.Join`.",
)
def batches_per_rank(distributed_run: DistributedRun) -> Observed[Count]:
    """Do all ranks have equally many batches in an epoch?

    Why it matters:
        Each backward pass waits for all ranks. One that has a batch more waits for ever, at the end of the first epoch
        or at the next barrier (https://github.com/Lightning-AI/pytorch-lightning/issues/20404).

    Example:
        batches_per_rank: 0

    What the number means:
        The difference between the most and the fewest batches that a rank has in an epoch of its training loader: as
        many as the sampler announces, or as many as it gave where the watched steps span the epoch. No verdict for a
        stream whose end they do not show; raise `train.steps`.
    """
    run = distributed_run
    epochs = [
        [each.passes[index].batches for each in run.grouped] for index in range(min(len(r.passes) for r in run.grouped))
    ]
    known = [[n for n in epoch if n is not None] for epoch in epochs if None not in epoch]
    apart = max((max(epoch) - min(epoch) for epoch in known), default=0)
    if not apart:
        _ = run.sound  # a rank that died may have been one that waited for a batch that another did not have
        if not known:
            raise Inconclusive(_why(run.grouped))
    worst = max(known, key=lambda epoch: max(epoch) - min(epoch))
    return Observed(apart, {"batches of each rank": worst, "epochs": len(known), **run.extent})


def _why(ranks: tuple[RankTrace, ...]) -> str:
    if not all(each.passes for each in ranks):
        return "no DataLoader gave the batches of every rank"
    return "the samplers do not say how many batches an epoch has, and no epoch came to its end; raise `train.steps`"

"""`ranks_agree`."""

from __future__ import annotations

from retspec.facts import DistributedRun
from retspec.plugin import Count, Inconclusive, Observed, check


@check(
    direction="at most",
    unit="parameters",
    default_limit=0,
    advice="Wrap the module that trains in DistributedDataParallel, call the wrapper and not `model.module`, and "
    "change no parameter on one rank alone after that.",
)
def ranks_agree(distributed_run: DistributedRun) -> Observed[Count]:
    """Do all ranks hold the same parameters after the watched steps?

    Why it matters:
        The ranks of DistributedDataParallel start from the same parameters and add the same gradients
        (https://docs.pytorch.org/docs/stable/notes/ddp.html). When they part, each rank trains a model of its own, and
        the checkpoint is that of rank 0, which has seen a share of the data.

    Example:
        ranks_agree: 0

    What the number means:
        Parameters (tensors, not elements) that are not the same bit by bit on all ranks after the last watched step.
        Buffers do not count: the running statistics of BatchNorm differ until the next forward pass. No verdict where
        FSDP shards the parameters: then each rank holds a part of its own.
    """
    ranks = distributed_run.sound
    if any(each.sharded for each in ranks):
        raise Inconclusive("FSDP shards the parameters, so that each rank holds others; leave this criterion out")
    first = ranks[0].trace.parameters
    names = dict.fromkeys(name for each in ranks for name in each.trace.parameters)
    differing = [name for name in names if any(each.trace.parameters.get(name) != first.get(name) for each in ranks)]
    return Observed(len(differing), {"differ": differing, "parameters": len(names), **distributed_run.extent})

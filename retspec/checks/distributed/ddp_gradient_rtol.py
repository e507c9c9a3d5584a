"""`ddp_gradient_rtol`."""

from __future__ import annotations

from retspec.facts import DistributedRun
from retspec.plugin import Inconclusive, Observed, Relative, check

SHOWN = 5


@check(
    direction="at most",
    default_limit=1e-3,
    advice="Call the wrapper, not `model.module`; let the last micro-batch of a step synchronize, the others run under "
    "`no_sync`; give all ranks equally many samples, or weigh each loss by them; convert BatchNorm with "
    "`nn.SyncBatchNorm.convert_sync_batchnorm`; divide by the number of ranks after an `all_reduce` of your own.",
)
def ddp_gradient_rtol(distributed_run: DistributedRun) -> Observed[Relative]:
    """Are the gradients of the ranks those of one process with the whole batch?

    Why it matters:
        DistributedDataParallel averages what its own forward pass prepared
        (https://docs.pytorch.org/docs/stable/notes/ddp.html). Around it, or with a mean of unequal shards, each rank
        trains on something else, and the loss falls all the same.

    Example:
        ddp_gradient_rtol: 1e-3

    What the number means:
        The largest relative distance of a parameter's gradient, at the first step and on any rank, from that of one
        process that is fed the batches of all ranks at once, in the L2 norm. What is right is about 1e-7, what is
        wrong 0.1 to 1; under bfloat16 allow 0.05. A gradient counts for at least a hundredth of the norm of all, so
        that rounding around a true zero is no fault. It is taken before clipping and without the loss scale; where a
        loop averages the gradients by itself, after that. No verdict where the loss cannot be computed again: dropout
        or other random draws in the forward pass, several losses or optimizers, batches that cannot be put together,
        parameters that FSDP shards; nor where a loop averages by itself and clips in its own way. A loss that the model
        returns as a sum, divided by a number that it is given, is compared up to the number of ranks.
    """
    ranks, found = distributed_run.sound, distributed_run.gradients
    if found.unknown:
        raise Inconclusive(found.unknown)
    worst = [f"rank {each.rank} {each.parameter}: {each.relative:.2g}" for each in found.deviations[:SHOWN]]
    details = {"worst": worst, "parameters": found.compared, "samples of each rank": list(found.samples)}
    micro_batches = found.micro_batches
    return Observed(
        found.deviations[0].relative,
        {**details, "micro-batches of all": micro_batches, "backend": ranks[0].backend, **distributed_run.extent},
    )

"""`unsynced_batchnorm`."""

from __future__ import annotations

from retspec.facts import ParallelLayers
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="layers",
    default_limit=0,
    advice="Call `nn.SyncBatchNorm.convert_sync_batchnorm(model)` before the model is wrapped, or keep BatchNorm in "
    "eval mode, or use a normalization that does not look at the batch.",
)
def unsynced_batchnorm(parallel_layers: ParallelLayers) -> Observed[Count]:
    """Does every BatchNorm layer see the batches of all ranks?

    Why it matters:
        BatchNorm normalizes by the samples of its own rank. With few on each, its statistics are noise, and the
        result depends on the number of GPUs
        (https://docs.pytorch.org/docs/stable/generated/torch.nn.SyncBatchNorm.html).

    Example:
        unsynced_batchnorm: 0

    What the number means:
        BatchNorm layers in train mode that are no SyncBatchNorm, in the model as it is given, before it is wrapped.
        Those in eval mode use their running statistics, and do not count. No second process is needed.
    """
    layers = parallel_layers
    details = {"unsynced": list(layers.unsynced), "synced": layers.synced, "in eval mode": layers.evaluating}
    return Observed(len(layers.unsynced), details)

"""What is planted in `scripts/ranked.py` by its arguments, and what comes of the criteria of `healthy.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SPEC = Path(__file__).with_name("healthy.yaml")


@dataclass(frozen=True)
class Planted:
    """Arguments of the script, and which criteria are missed or get no verdict."""

    name: str
    args: str
    missed: str = ""
    undecided: str = ""
    reason: str = ""
    """A part of the reason of those without a verdict."""

    @property
    def overrides(self) -> list[str]:
        """Settings of the spec."""
        return [f"train.args=[{', '.join(self.args.split())}]"]


HEALTHY = (
    Planted("none, with a worker process", "workers"),
    Planted("none, BatchNorm synchronized", "synced"),
    Planted("none, gradients averaged by hand and clipped", "averages"),
    Planted(
        "none, gradients averaged by hand and scaled",
        "scales",
        undecided="ddp_gradient_rtol",
        reason="averages the gradients of its ranks by itself, and at the step they are 0.1 times",
    ),
    Planted("none, dropout", "dropout", undecided="ddp_gradient_rtol", reason="draws random numbers"),
)
FAULTS = (
    Planted("the ranks have unequal shares of each batch", "uneven", "ddp_gradient_rtol"),
    Planted("the last micro-batch does not synchronize", "late", "ddp_gradient_rtol ranks_agree"),
    Planted("`model.module` is called, not the wrapper", "unwrapped", "ddp_gradient_rtol ranks_agree"),
    Planted("gradients are added up by hand, not averaged", "adds", "ddp_gradient_rtol"),
    Planted("BatchNorm is not synchronized", "batchnorm", "ddp_gradient_rtol"),
    Planted("a rank changes a parameter by itself", "drift", "ranks_agree"),
    Planted("the DistributedSampler is missing", "sampler", "ranks_share_samples"),
    Planted("`set_epoch` is missing", "epoch", "epoch_order_repeats"),
    Planted("a rank has a batch less in each epoch", "unequal", "batches_per_rank"),
)
ALL = "batches_per_rank ddp_gradient_rtol epoch_order_repeats ranks_agree ranks_share_samples"
DEATHS = (
    Planted("no process group is made", "ungrouped", "", ALL, "made no process group of 2 (rank 0, 1)"),
    Planted("a rank raises", "raises", "", ALL, "rank 1 of 2 died after 1 optimizer steps: it raised KeyError: 'lr'"),
    Planted(
        "a rank is killed", "killed workers", "", ALL, "rank 1 of 2 was killed by signal 9 after 1 optimizer steps"
    ),
    Planted(
        "a rank exits", "exits", "", ALL, "ended with exit code 7 after 1 optimizer steps: no space left on device"
    ),
)

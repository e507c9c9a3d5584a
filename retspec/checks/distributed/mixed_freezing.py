"""`mixed_freezing`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from retspec.facts import Block, ParallelLayers
from retspec.plugin import Count, Observed, check

Policy = Annotated[
    Literal["blocks", "peft"],
    Meta(description="What is a unit: each block; or trainable layers without children beside it, as for peft."),
]


@check(
    direction="at most",
    unit="units",
    default_limit=0,
    advice="Wrap with `use_orig_params=True` or with `fully_shard`, which shard each parameter by itself; or wrap what "
    "trains in units of its own, as `peft.utils.other.fsdp_auto_wrap_policy` does.",
)
def mixed_freezing(parallel_layers: ParallelLayers, *, policy: Policy = "blocks") -> Observed[Count]:
    """Are the parameters of each FSDP unit all frozen, or all trainable?

    Why it matters:
        FSDP with `use_orig_params=False` flattens a unit into one parameter, which has one `requires_grad`. A block
        with an adapter has both, so that wrapping it fails, on the cluster first
        (https://github.com/huggingface/peft/issues/1702).

    Example:
        mixed_freezing: {limit: 0, with: {policy: peft}}

    What the number means:
        Units in which some parameters are frozen and others train. A unit is a block of the model: a module with
        children, beside others of its class in a list or sequence; all that is outside of blocks is one more. With
        `policy: peft`, each layer without children whose `weight` trains is a unit by itself.
    """
    mixed = [block for block in parallel_layers.blocks if block.frozen and _trainable(block, policy)]
    lines = [f"{block.name or 'outside of blocks'}: {_trainable(block, policy)[0]} trains" for block in mixed]
    return Observed(len(mixed), {"mixed": lines, "units": len(parallel_layers.blocks)})


def _trainable(block: Block, policy: str) -> list[str]:
    """Return what trains in a unit; layers that are units by themselves are left out."""
    own = set(block.leaves) if policy == "peft" else set()
    return [name for name in block.trainable if name not in own]

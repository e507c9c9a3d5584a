"""Whether a training shards its parameters, so that each rank holds a part of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import nn

_WRAPPER = "FullyShardedDataParallel"


def is_sharded(roots: Iterable[nn.Module]) -> bool:
    """Return whether FSDP holds a module or what is in it.

    `fully_shard` makes each parameter a DTensor; the older class wraps modules:
    https://docs.pytorch.org/docs/stable/distributed.fsdp.fully_shard.html and https://docs.pytorch.org/docs/stable/fsdp.html
    """
    return any(
        any(type(module).__name__ == _WRAPPER for module in root.modules())
        or any(hasattr(parameter, "to_local") for parameter in root.parameters())
        for root in roots
    )

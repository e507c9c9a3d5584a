"""The measurement `parallel_layers`: what matters to several ranks, and is seen without any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.facts import Block, ParallelLayers
from retspec.plugin import Cost, measurement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from retspec.subjects.models.skeleton import Skeleton


@measurement(cost=Cost.STATIC)
def parallel_layers(skeleton: Skeleton) -> ParallelLayers:
    """List the BatchNorm layers, and which parameters of each block train, without weights."""
    from torch import nn
    from torch.nn.modules.batchnorm import _BatchNorm

    norms = [(name, m) for name, m in skeleton.module.named_modules() if isinstance(m, _BatchNorm)]
    training = [(name, norm) for name, norm in norms if norm.training]
    unsynced = tuple(name for name, norm in training if not isinstance(norm, nn.SyncBatchNorm))
    return ParallelLayers(
        unsynced=unsynced,
        synced=len(training) - len(unsynced),
        evaluating=len(norms) - len(training),
        blocks=tuple(_units(skeleton.module)),
    )


def _units(model: nn.Module) -> Iterator[Block]:
    """Give each block of a model, and last what is outside of all."""
    inside: set[int] = set()
    for name, block in _blocks(model, ""):
        inside |= {id(parameter) for parameter in block.parameters()}
        yield _unit(name, block, set())
    yield _unit("", model, inside)


def _blocks(module: nn.Module, prefix: str) -> Iterator[tuple[str, nn.Module]]:
    """Give the outermost modules that stand in a list or sequence with others of their class, and have children.

    This is what a policy of FSDP wraps by class: `transformer_auto_wrap_policy` in
    https://github.com/pytorch/pytorch/blob/main/torch/distributed/fsdp/wrap.py
    """
    from torch import nn

    for name, child in module.named_children():
        place = f"{prefix}{name}"
        kinds = (
            [type(other) for other in module.children()] if isinstance(module, (nn.ModuleList, nn.Sequential)) else []
        )
        if kinds.count(type(child)) > 1 and next(child.children(), None) is not None:
            yield place, child
        else:
            yield from _blocks(child, f"{place}.")


def _unit(name: str, module: nn.Module, others: set[int]) -> Block:
    own = [(place, p) for place, p in module.named_parameters(name) if id(p) not in others]
    in_leaves = {
        id(p)
        for leaf in module.modules()
        if next(leaf.children(), None) is None and getattr(getattr(leaf, "weight", None), "requires_grad", False)
        for p in leaf.parameters()
    }
    return Block(
        name=name,
        trainable=tuple(place for place, p in own if p.requires_grad),
        frozen=tuple(place for place, p in own if not p.requires_grad),
        leaves=tuple(place for place, p in own if p.requires_grad and id(p) in in_leaves),
    )

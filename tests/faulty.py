"""More of what people do to models and losses, one planted fault each: each is named in `tests/checks/faults.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from tests.tiny import vit
from tests.tiny_between import Between

if TYPE_CHECKING:
    from peft import PeftModel
    from torch import Tensor

# What trains ---------------------------------------------------------------------------------------


def merged_and_unloaded() -> nn.Module:
    """The adapter is folded into its base before anything was trained."""
    model: nn.Module = vit().merge_and_unload()
    return model


def head_replaced_while_training() -> PeftModel:
    """A new parameter takes the place of the head's weight in every training pass: the optimizer holds the old one."""

    def replace(module: nn.Module, _inputs: Any) -> None:
        if module.training:
            module.weight = nn.Parameter(module.weight.detach().clone())

    model = vit()
    model.base_model.model.head.modules_to_save["default"].register_forward_pre_hook(replace)
    return model


# What reaches the parameters -----------------------------------------------------------------------


def logits_detached() -> PeftModel:
    """`.detach()` on what the model returns."""
    model = vit()
    model.base_model.model.register_forward_hook(lambda _module, _inputs, output: output.detach())
    return model


class _Checkpointed(nn.Module):
    """Blocks whose activations are computed again in the backward pass."""

    def __init__(self, blocks: nn.Module) -> None:
        super().__init__()
        self.blocks = blocks

    def forward(self, inputs: Tensor) -> Tensor:
        output: Tensor = checkpoint(self.blocks, inputs, use_reentrant=True)
        return output


def checkpointed_reentrantly() -> PeftModel:
    """Reentrant activation checkpointing after a frozen embedding: no input requires a gradient, so none flows."""
    model = vit()
    inner = model.base_model.model
    inner.blocks = _Checkpointed(inner.blocks)
    return model


class _Sum:
    """Adds every gradient to those before it."""

    def __init__(self) -> None:
        self.total: Tensor | None = None

    def __call__(self, gradient: Tensor) -> Tensor:
        self.total = gradient if self.total is None else self.total + gradient
        return self.total.clone()


def gradients_never_zeroed() -> PeftModel:
    """A training loop without `zero_grad`: each gradient holds all those before it."""
    model = vit()
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.register_hook(_Sum())
    return model


def switched_off() -> nn.Module:
    """A ReLU far from where anything is above zero."""
    return Between(lambda _self, hidden: nn.functional.relu(hidden - 100))


def carries_its_state() -> nn.Module:
    """The state of the step before is carried on with its graph."""

    def carry(self: Any, hidden: Tensor) -> Tensor:
        if not self.training:
            return hidden
        before, self.kept = self.kept, [hidden.mean(0)]
        return hidden + sum(before)

    return Between(carry)


def wasteful() -> nn.Module:
    """A large intermediate that holds nothing which a small one would not."""
    return Between(lambda _self, hidden: (hidden[..., None] * hidden.new_ones(8_000)).square().mean(-1))


# What the loss asks for ----------------------------------------------------------------------------


def shuffled_labels(logits: Tensor, targets: Tensor) -> Tensor:
    """The labels are dealt out anew at every step."""
    return nn.functional.cross_entropy(logits, targets[torch.randperm(len(targets))])


def fixed_divisor(logits: Tensor, targets: Tensor) -> Tensor:
    """The loss is divided by the batch size of the config, whatever the micro-batch holds."""
    return nn.functional.cross_entropy(logits, targets, reduction="sum") / 6


def weighted_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """A mean weighted by class: every micro-batch is divided by the weights that it happens to hold."""
    return nn.functional.cross_entropy(logits, targets, weight=torch.tensor([1.0, 4.0, 16.0]))


def labels_from_one(logits: Tensor, targets: Tensor) -> Tensor:
    """The labels count from one."""
    return nn.functional.cross_entropy(logits, targets + 1)


_HISTORY: list[Tensor] = []


def kept_losses(logits: Tensor, targets: Tensor) -> Tensor:
    """Every loss is kept for a plot, with the graph behind it."""
    loss = nn.functional.cross_entropy(logits, targets)
    _HISTORY.append(loss)
    return loss

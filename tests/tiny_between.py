"""Tiny models with any function between an embedding and a classifier, and what people write there by mistake."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from tests.tiny import CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from peft import PeftModel
    from torch import Tensor


class Between(nn.Module):
    """Any function between a flattened image and a classifier; everything trains."""

    def __init__(self, function: Callable[[Any, Tensor], Tensor], width: int = 16) -> None:
        super().__init__()
        self.embed = nn.Linear(3 * 32 * 32, width)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, CLASSES)
        self.register_buffer("count", torch.zeros(()))
        self.kept: list[Tensor] = []
        self._function = function

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self._function(self, self.norm(self.embed(inputs.flatten(1)))))


def plain() -> nn.Module:
    """No fault."""
    return Between(lambda _self, hidden: hidden)


def root_of_zero() -> nn.Module:
    """Finite in the forward pass, infinite in the backward pass."""
    return Between(lambda _self, hidden: hidden + (hidden - hidden.detach()).abs().sqrt())


def loud() -> nn.Module:
    """Features a thousand times too large."""
    return Between(lambda _self, hidden: hidden * 1000)


class Standing(nn.BatchNorm1d):
    """A BatchNorm in eval mode for good."""

    def train(self, *_mode: bool, **_named: bool) -> Self:
        return super().train(mode=False)


def normalized_by_batch() -> nn.Module:
    """A BatchNorm that nobody trains, whose statistics stand still."""

    def normalize(self: Any, hidden: Tensor) -> Tensor:
        return self.batch_norm(hidden)

    model = Between(normalize)
    model.batch_norm = Standing(16)
    return model


def vanishing() -> nn.Module:
    """A scale near zero: what lies before it gets next to no gradient."""
    return Between(lambda _self, hidden: hidden * 1e-9)


def keeps_activations() -> nn.Module:
    """Features for a plot that nobody makes, never thrown away."""

    def keep(self: Any, hidden: Tensor) -> Tensor:
        self.kept.append(hidden)
        return hidden

    return Between(keep)


def overflows_in_half() -> nn.Module:
    """A gradient that no loss scale above one lets through float16."""

    class Loud(torch.autograd.Function):
        @staticmethod
        def forward(_context: Any, hidden: Tensor) -> Tensor:
            return hidden.clone()

        @staticmethod
        def backward(_context: Any, gradient: Tensor) -> Tensor:
            return gradient * 1e38

    return Between(lambda _self, hidden: Loud.apply(hidden))


def cancels_in_half() -> nn.Module:
    """A difference of large products, of which half precision keeps no digit."""
    return Between(
        lambda self, hidden: (
            (self.embed.weight[:, :16] @ hidden.T).T * 100 - hidden @ (self.embed.weight[:, :16].T * 99.9)
        )
    )


def offset_in_half() -> nn.Module:
    """A large offset that is taken off again: bfloat16 keeps steps of 0.5 there, float32 those of 1e-5."""
    return Between(lambda _self, hidden: hidden @ torch.eye(hidden.shape[-1]) + 100 - 100)


def unseeded_noise() -> nn.Module:
    """Noise from a generator of its own, which no seed of the run sets back."""
    generator = torch.Generator().manual_seed(0)
    return Between(lambda _self, hidden: hidden + torch.randn(hidden.shape, generator=generator))


def dropout_in_eval() -> nn.Module:
    """`F.dropout` without `self.training`."""
    return Between(lambda _self, hidden: nn.functional.dropout(hidden, 0.3))


def counts_in_eval() -> nn.Module:
    """A running count that does not ask for the mode."""

    def count(self: Any, hidden: Tensor) -> Tensor:
        self.count += 1
        return hidden

    return Between(count)


def norm_over_batch() -> nn.Module:
    """Statistics over the batch, in eval mode too."""
    return Between(lambda _self, hidden: hidden - hidden.mean(0))


def view_for_transpose() -> nn.Module:
    """`view` where `transpose` was meant: the rows of the batch get mixed."""
    return Between(lambda _self, hidden: hidden.view(hidden.shape[1], hidden.shape[0]).T.contiguous())


def other_when_compiled() -> nn.Module:
    """A branch that only the compiled model takes."""
    return Between(lambda _self, hidden: hidden * 2 if torch.compiler.is_compiling() else hidden)


def asks_for_a_number() -> nn.Module:
    """Which way it goes depends on the values of its inputs."""
    return Between(lambda _self, hidden: hidden * 2 if float(hidden.detach().sum()) > 0 else hidden)


def compares_images() -> nn.Module:
    """Every image with every other: memory grows with the square of the batch."""
    return Between(lambda _self, hidden: (hidden @ hidden.T).softmax(-1) @ hidden)


def adapted(fault: str) -> PeftModel:
    """Adapt the embedding of a `Between` and save its head: every check has something to say.

    fault: `module:function` that makes it, or a function of this module.
    """
    model: nn.Module = resolve_name(fault if ":" in fault else f"{__name__}:{fault}")()
    return get_peft_model(model, LoraConfig(r=4, lora_alpha=16, target_modules=["embed"], modules_to_save=["head"]))

"""A second library of models in one plugin file; it follows the conventions of transformers, and none of timm's."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from retspec.plugin import ModelLibrary, Source, SubjectError, hookimpl, model_source

if TYPE_CHECKING:
    from collections.abc import Mapping

SWITCHED: list[str] = []
"""Each model whose gradient checkpointing was turned on."""


# The library -----------------------------------------------------------------------------------------


@dataclass
class Output:
    loss: Tensor | None
    logits: Tensor


class Encoder(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.projection = nn.Conv2d(3, width, 8, stride=8)
        self.dense = nn.Linear(width, width)
        self.checkpoints = False

    def forward(self, pixel_values: Tensor) -> Tensor:
        tokens = self.projection(pixel_values).flatten(2).mean(2)
        dense: Any = checkpoint(self.dense, tokens, use_reentrant=False) if self.checkpoints else self.dense(tokens)
        return tokens + torch.tanh(dense)


class ForImageClassification(nn.Module):
    """`config.image_size`, an output with `.logits`, `gradient_checkpointing_enable()` and the head `classifier`."""

    def __init__(self, *, labels: int, can_checkpoint: bool = True) -> None:
        super().__init__()
        self.config = SimpleNamespace(image_size=48, num_channels=3, mean=[0.4] * 3, std=[0.3] * 3)
        self.supports_gradient_checkpointing = can_checkpoint
        self.encoder = Encoder(16)
        self.classifier = nn.Linear(16, labels)

    def forward(self, pixel_values: Tensor) -> Output:
        return Output(None, self.classifier(self.encoder(pixel_values)))

    def gradient_checkpointing_enable(self) -> None:
        if not self.supports_gradient_checkpointing:
            raise ValueError("ForImageClassification does not support gradient checkpointing.")
        SWITCHED.append(type(self).__name__)
        self.encoder.checkpoints = True


# What retspec is to know of it -----------------------------------------------------------------------


def _found(model: nn.Module) -> ForImageClassification | None:
    return next((module for module in model.modules() if isinstance(module, ForImageClassification)), None)


def _input_size(model: nn.Module) -> tuple[int, ...] | None:
    own = _found(model)
    return own and (own.config.num_channels, own.config.image_size, own.config.image_size)


def _preprocessing(model: nn.Module) -> Mapping[str, Any] | None:
    own = _found(model)
    if own is None:
        return None
    return {"input_size": _input_size(own), "mean": own.config.mean, "std": own.config.std, "crop_pct": 1.0}


def _grad_checkpointing(model: nn.Module) -> Any:
    if not isinstance(model, ForImageClassification):
        return None

    def switch() -> None:
        try:
            model.gradient_checkpointing_enable()
        except ValueError as error:
            raise SubjectError(str(error), path="train.grad_checkpointing") from error

    return switch


def _convert_state_dict(weights: Mapping[str, Tensor], model: nn.Module) -> Mapping[str, Tensor] | None:
    if not isinstance(model, ForImageClassification):
        return None
    return {name.replace("backbone.patches", "encoder.projection"): tensor for name, tensor in weights.items()}


HUB = ModelLibrary(
    imports=("colorsys",),
    distributions=("msgspec",),
    input_size=_input_size,
    classifier=lambda module: module.classifier if isinstance(module, ForImageClassification) else None,
    preprocessing=_preprocessing,
    grad_checkpointing=_grad_checkpointing,
    convert_state_dict=_convert_state_dict,
)


@model_source(library=HUB)
def hub(labels: int, *, can_checkpoint: bool = True) -> nn.Module:
    """Build a classifier of the second library."""
    return ForImageClassification(labels=labels, can_checkpoint=can_checkpoint)


def from_a_factory() -> nn.Module:
    """Build the same for `factory:`."""
    return ForImageClassification(labels=3)


@hookimpl
def retspec_model_sources() -> list[Source]:
    return [hub]

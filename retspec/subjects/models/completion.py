"""Require that a source gave a whole model, and bring it into the state that training sees."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from retspec.errors import SubjectError
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn


def require_shapes(model: nn.Module) -> None:
    """Raise SubjectError for a lazy module, whose parameters get their shapes from the first batch.

    See https://docs.pytorch.org/docs/stable/generated/torch.nn.modules.lazy.LazyModuleMixin.html
    """
    from torch.nn.parameter import is_lazy

    if names := _named(model, is_lazy):
        raise SubjectError(
            f"the model has lazy modules, which get their shapes from the first batch: {listing(names)} uninitialized; "
            "pass one batch through the model in the factory, before it returns it"
        )


def require_values(model: nn.Module) -> None:
    """Raise SubjectError for tensors without data; whatever is loaded into one is lost without an error.

    See https://docs.pytorch.org/docs/stable/meta.html
    """
    if names := _named(model, lambda tensor: tensor.is_meta):
        raise SubjectError(
            f"the model has tensors without values, on the meta device: {listing(names)}; build it on the CPU, or give "
            "them values in the factory with `to_empty` and `load_state_dict`"
        )


def freeze_as_training_does(model: nn.Module) -> None:
    """Let a `train` of the model's own freeze what it freezes, and keep all modes.

    Backbones freeze their first stages there, such as ResNet of mmpretrain by `frozen_stages`:
    https://github.com/open-mmlab/mmpretrain/blob/main/mmpretrain/models/backbones/resnet.py

    Raises SubjectError for one that takes no mode: `eval()` is `train(False)`.
    """
    for module in {type(module): module for module in model.modules()}.values():
        _require_mode(module)
    modes = [(module, module.training) for module in model.modules()]
    model.train()
    for module, mode in modes:
        module.training = mode


def _require_mode(module: nn.Module) -> None:
    """See https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.eval."""
    try:
        inspect.signature(module.train).bind(module.training)
    except TypeError as error:
        raise SubjectError(
            f"{type(module).__name__}.train takes no mode, and `eval()` calls `train(False)`; write "
            "`def train(self, mode=True)`, and return self"
        ) from error


def _named(model: nn.Module, is_unfinished: Callable[[Tensor], bool]) -> list[str]:
    """Return the names of the parameters and buffers that are so."""
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return [name for name, tensor in tensors if is_unfinished(tensor)]

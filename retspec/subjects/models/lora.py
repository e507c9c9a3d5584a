"""Wrap a model with LoRA."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retspec.errors import SubjectError

if TYPE_CHECKING:
    from torch import nn

    from retspec.records import Lora


def wrap(model: nn.Module, lora: Lora, *, rank: int | None = None) -> nn.Module:
    """Return the model wrapped by peft, which changes the model in place.

    rank: replaces the rank of `lora`.

    Raises SubjectError when the targets match no layer, or peft refuses the configuration.

    LoRA: https://arxiv.org/abs/2106.09685; the arguments: https://huggingface.co/docs/peft/package_reference/lora
    """
    from peft import LoraConfig, get_peft_model

    lora = lora if rank is None else replace(lora, r=rank)
    config = LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.target_modules,
        exclude_modules=lora.exclude_modules or None,
        modules_to_save=list(lora.modules_to_save) or None,
        bias=lora.bias,
        use_rslora=lora.use_rslora,
        use_dora=lora.use_dora,
    )
    try:
        wrapped: nn.Module = get_peft_model(model, config)
    except ValueError as error:
        if "arget modules" not in str(error):
            raise SubjectError(f"peft refuses the adapter: {_first_line(error)}", path="model.lora") from error
        raise SubjectError(
            f"target_modules {lora.target_modules!r} matches no layer; this model has {_layer_names(model)}",
            path="model.lora.target_modules",
        ) from error
    return wrapped


def _layer_names(model: nn.Module) -> str:
    """Return the last parts of the names of all linear and convolution layers, each once."""
    from torch import nn

    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d)
    names = {name.rpartition(".")[2] for name, module in model.named_modules() if isinstance(module, kinds)}
    return ", ".join(sorted(names)) or "no linear or convolution layer"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]

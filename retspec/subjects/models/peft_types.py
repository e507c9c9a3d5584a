"""Find the modules that peft adds to a model, by their types.

Importing peft takes seconds. Before it is imported, no model can hold its modules, so nothing here imports it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from peft import PeftModel
    from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
    from peft.utils.other import ModulesToSaveWrapper
    from torch import nn


def peft_model_in(model: nn.Module) -> PeftModel | None:
    """Return the first wrapper of peft, at any depth in the model, or None."""
    return next(iter(_of_type(model, "peft", "PeftModel").values()), None)


def outermost_wrapper(model: nn.Module) -> PeftModel | None:
    """Return the model itself if it is a wrapper of peft, else None."""
    return _of_type(model, "peft", "PeftModel").get("")


def tuner_in(model: nn.Module) -> BaseTuner | None:
    """Return the first tuner of peft in the model, or None."""
    return next(iter(_of_type(model, "peft.tuners.tuners_utils", "BaseTuner").values()), None)


def tuner_layers(model: nn.Module) -> dict[str, BaseTunerLayer]:
    """Return the layers with an adapter, by their names in `model.named_modules()`."""
    return _of_type(model, "peft.tuners.tuners_utils", "BaseTunerLayer")


def rewriting_layers(model: nn.Module) -> dict[str, nn.Module]:
    """Return by name the layers whose every forward pass merges their adapter and unmerges it, with rounding.

    See `MultiheadAttention` in https://github.com/huggingface/peft/blob/main/src/peft/tuners/lora/layer.py
    """
    return _of_type(model, "peft.tuners.lora.layer", "MultiheadAttention")


def layers_read_past(model: nn.Module) -> list[str]:
    """Return the layers whose weight torch reads in eval mode, without a call of the layer: so it misses the adapter.

    nn.MultiheadAttention does so with its `out_proj`, and nn.TransformerEncoderLayer on its fast path:
    https://docs.pytorch.org/docs/stable/generated/torch.nn.TransformerEncoderLayer.html
    """
    import torch
    from torch import nn

    kinds: tuple[type[nn.Module], ...] = (nn.MultiheadAttention,)
    if torch.backends.mha.get_fastpath_enabled():
        kinds = (*kinds, nn.TransformerEncoderLayer)
    adapted = tuner_layers(model)
    readers = [name for name, module in model.named_modules() if isinstance(module, kinds) and name not in adapted]
    merged = tuple(f"{name}." for name in rewriting_layers(model))  # which peft merges in every pass
    return [n for n in adapted if not n.startswith(merged or ("\0",)) and any(n.startswith(f"{r}.") for r in readers)]


def saved_modules(model: nn.Module) -> list[ModulesToSaveWrapper]:
    """Return the modules that peft trains and saves in full, next to the adapter."""
    return [*_of_type(model, "peft.utils.other", "ModulesToSaveWrapper").values()]


def _of_type(model: nn.Module, module: str, name: str) -> dict[str, Any]:
    kind = getattr(sys.modules.get(module), name, None)
    return {} if kind is None else {path: part for path, part in model.named_modules() if isinstance(part, kind)}

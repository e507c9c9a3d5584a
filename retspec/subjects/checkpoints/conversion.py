"""timm's own conversion of foreign weights to those of one of its models."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from retspec.subjects.checkpoints.matching import tensors_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor, nn


def converted(tensors: Mapping[str, Tensor], model: nn.Module) -> Mapping[str, Tensor]:
    """Return weights as timm makes them fit: position embeddings resampled, names of other projects translated.

    They are returned as they are when the model is none of timm's, or timm can make nothing of them.
    """
    convert = _conversion_for(model)
    if convert is None:
        return tensors
    try:
        return tensors_of(convert(dict(tensors), model))
    except Exception:  # noqa: BLE001 - for other weights than it knows it fails in its own ways; they are told as unfit
        return tensors


def _conversion_for(model: nn.Module) -> Callable[..., Any] | None:
    """Return the conversion beside the model's class, or beside the timm class that it was derived from."""
    modules = [kind.__module__ for kind in type(model).__mro__ if kind.__module__.startswith("timm.models.")]
    found = (getattr(sys.modules[name], "checkpoint_filter_fn", None) for name in modules)
    return next((function for function in found if function is not None), None)

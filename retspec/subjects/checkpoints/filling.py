"""Buffers that torch itself fills where a file has none: `num_batches_tracked` of batch norms."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from retspec.subjects.checkpoints.sets import Weights

_COUNTER = "num_batches_tracked"
_SINCE = 2
"""Version of the format of a batch norm from which `state_dict` holds the counter."""


def filled_by_torch(weights: Weights, model: nn.Module) -> frozenset[str]:
    """Return the names of a model's counters that the file lacks, and that `load_state_dict` does not miss either.

    It fills them for files from before torch 0.4.1, and for those that do not say what wrote them. See
    `_NormBase._load_from_state_dict` in https://github.com/pytorch/pytorch/blob/main/torch/nn/modules/batchnorm.py
    """
    return frozenset(name for name in _counters(model) if name not in weights.tensors and _is_old(name, weights))


def _counters(model: nn.Module) -> Iterator[str]:
    from torch.nn.modules.batchnorm import _NormBase

    for name, module in model.named_modules():
        if isinstance(module, _NormBase) and module.track_running_stats:
            yield f"{name}.{_COUNTER}" if name else _COUNTER


def _is_old(counter: str, weights: Weights) -> bool:
    module = counter.removesuffix(_COUNTER).removesuffix(".")
    names = (module, f"{''.join(weights.prefixes)}{module}", module.removeprefix(weights.added))
    version = next((weights.versions[name] for name in names if name in weights.versions), None)
    return version is None or version < _SINCE

"""`Seal`: what a model is when it is built, to see after each measurement that it still is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from retspec.subjects.models.state import fingerprint

if TYPE_CHECKING:
    from torch import Tensor, nn

_HOOKS = (
    *("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks"),
    *("_forward_hooks_with_kwargs", "_forward_pre_hooks_with_kwargs", "_forward_hooks_always_called"),
    *("_state_dict_hooks", "_state_dict_pre_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks"),
)
_ADAPTER = ("merged_adapters", "_disable_adapters", "_active_adapter")
"""Attributes of a layer that peft adapts: https://huggingface.co/docs/peft/package_reference/tuners"""
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


@dataclass(frozen=True)
class Seal:
    """What a model is: fingerprints of its tensors, and the states of its modules; no data is copied.

    settings: every attribute of a module that is plain data. A model may count its passes there, so a measurement that
    came to its end may change them.
    """

    modules: Mapping[str, tuple[object, ...]]
    tensors: Mapping[str, tuple[object, ...]]
    hooks: Mapping[str, tuple[object, ...]]
    settings: Mapping[str, tuple[object, ...]]

    @staticmethod
    def of(model: nn.Module, *, with_settings: bool = True) -> Seal:
        """Return the seal of a model as it is now."""
        tensors = dict(chain(model.named_parameters(), model.named_buffers()))
        modules = dict(model.named_modules())
        return Seal(
            modules={name: _state(module) for name, module in modules.items()},
            tensors={name: _description(tensor) for name, tensor in tensors.items()},
            hooks={name: _hooks(module) for name, module in modules.items()},
            settings={name: _settings(module) for name, module in modules.items()} if with_settings else {},
        )

    def holds(self, model: nn.Module, *, thorough: bool) -> bool:
        """Whether the same model has the same state now.

        thorough: also the settings of its modules, and no new buffers. A model may make one in its first forward pass.
        """
        try:
            now = Seal.of(model, with_settings=thorough)
        except Exception:  # noqa: BLE001 - a model that is broken in the middle of a merge cannot name its parameters
            return False
        if thorough:
            return self == now
        tensors = {name: tensor for name, tensor in now.tensors.items() if name in self.tensors}
        return (self.modules, self.tensors, self.hooks) == (now.modules, tensors, now.hooks)

    def is_of_twin(self, other: Seal) -> bool:
        """Whether another model, built the same way, is the same: torch numbers its hooks differently."""
        mine, theirs = (
            {name: tuple(map(len, hooks)) for name, hooks in seal.hooks.items()}  # type: ignore[arg-type]
            for seal in (self, other)
        )
        return mine == theirs and (self.modules, self.tensors, self.settings) == (
            other.modules,
            other.tensors,
            other.settings,
        )


def _state(module: nn.Module) -> tuple[object, ...]:
    own = vars(module)
    adapter = tuple(_frozen(own.get(name)) for name in _ADAPTER)
    return type(module).__qualname__, module.training, "forward" in own, adapter


def _hooks(module: nn.Module) -> tuple[object, ...]:
    return tuple(tuple(vars(module).get(name) or ()) for name in _HOOKS)


def _settings(module: nn.Module) -> tuple[object, ...]:
    return tuple(sorted((name, repr(_frozen(value))) for name, value in vars(module).items() if name not in _HOOKS))


def _frozen(value: Any, depth: int = 4) -> object:
    """Return plain data so that it can be compared later; of anything else, and of what is nested deeper, its type."""
    if isinstance(value, _PLAIN):
        return repr(value)  # NaN equals itself
    if isinstance(value, Mapping) and depth:
        return tuple((repr(key), _frozen(each, depth - 1)) for key, each in value.items())
    if isinstance(value, (list, tuple)) and depth:
        return tuple(_frozen(each, depth - 1) for each in value)
    return type(value).__qualname__


def _description(tensor: Tensor) -> tuple[object, ...]:
    """Return what a tensor is; without a fingerprint where it has no data, or data that cannot be read as bytes."""
    has_gradient = tensor.is_leaf and tensor.grad is not None
    kind = (str(tensor.dtype), str(tensor.device), tensor.requires_grad, has_gradient)
    try:
        return (*kind, tuple(tensor.shape), None if tensor.is_meta else int(fingerprint(tensor)))
    except (RuntimeError, NotImplementedError, TypeError, ValueError):
        return kind

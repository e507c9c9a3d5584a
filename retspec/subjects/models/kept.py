"""`KeptModule`: everything of a module that a measurement could change, to give it back bit by bit."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

_CONTAINERS = (dict, OrderedDict, list, set)


class KeptModule:
    """A copy of every tensor, mode, hook and attribute of a module and of those in it.

    It takes as much memory of the CPU as the parameters and buffers do. Lists, dicts and sets among the attributes are
    kept with what they hold, one level deep; what `forward` changes further in, or outside the module, stays changed.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self._attributes = [(each, _KeptAttributes(each)) for each in module.modules()]
        self._tensors = [_KeptTensor(tensor) for tensor in _tensors_of(module)]

    def lend(self) -> nn.Module:
        """Return the module as it was, but without its gradients: casting or moving it would change them, too."""
        self._restore(gradients=False)
        return self.module

    def give_back(self) -> None:
        """Put everything back in place."""
        self._restore(gradients=True)

    def _restore(self, *, gradients: bool) -> None:
        for each, attributes in self._attributes:
            attributes.restore(each)
        for tensor in self._tensors:
            tensor.restore(gradients=gradients)


class _KeptAttributes:
    def __init__(self, module: nn.Module) -> None:
        self._values = dict(vars(module))
        self._contents = {name: copy.copy(value) for name, value in self._values.items() if type(value) in _CONTAINERS}

    def restore(self, module: nn.Module) -> None:
        for name, content in self._contents.items():
            _refill(self._values[name], content)
        own = vars(module)
        own.clear()
        own.update(self._values)


class _KeptTensor:
    def __init__(self, tensor: Tensor) -> None:
        self._tensor, self._data, self._gradient = tensor, tensor.data, tensor.grad if tensor.is_leaf else None
        self._copy = tensor.detach().to("cpu", copy=True)
        self._requires_grad = tensor.requires_grad

    def restore(self, *, gradients: bool) -> None:
        tensor = self._tensor
        if tensor.is_leaf:
            tensor.grad = None  # one of another dtype or device would refuse the data
        self._data.copy_(self._copy)
        tensor.data = self._data
        if tensor.is_leaf:
            tensor.requires_grad_(self._requires_grad)
            tensor.grad = self._gradient if gradients else None


def _tensors_of(module: nn.Module) -> list[Tensor]:
    """Return the parameters and buffers, each once; a lazy one, or one on the meta device, has no values to keep."""
    from torch.nn.parameter import is_lazy

    found = {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())}
    return [tensor for tensor in found.values() if not (is_lazy(tensor) or tensor.is_meta)]


def _refill(container: Any, content: Any) -> None:
    """Give a container its former content, in place: others may hold it."""
    if isinstance(container, list):
        container[:] = content
        return
    container.clear()
    container.update(content)

"""Share one base model, with its checkpoint loaded, among subjects that differ in their adapter only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.subjects.models.state import fingerprints

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from torch import Tensor, nn

    from retspec.facts import Loading


@dataclass(frozen=True)
class BaseModel:
    """A model without an adapter, and the result of loading its checkpoint."""

    model: nn.Module
    loading: Loading | None = None
    seed: int | None = None
    """The seed that it was made under; None where it would be the same under any other."""


class BaseModels:
    """Keeps the last base model for the next subject that needs the same one.

    It is reused only if it is unchanged to the bit; otherwise a new one is made.
    """

    def __init__(self) -> None:
        self._key: Hashable = None
        self._kept: _Kept | None = None

    def take(self, key: Hashable, seed: int, make: Callable[[], BaseModel], *, keep: bool) -> BaseModel:
        """Return the base model of this key and seed; `make` is called if it was not kept, or has changed.

        keep: whether another subject may need it.
        """
        if self._kept and self._key == key and self._kept.base.seed in {None, seed} and self._kept.is_restored():
            return self._kept.base
        self._kept = None  # before the next is made: memory may not hold two
        base = make()
        if keep:
            self._key, self._kept = key, _Kept(base)
        return base

    def forget(self) -> None:
        """Keep nothing: the next base model is made."""
        self._kept = None


class _Kept:
    """A base model with what it takes to remove a wrapper and to see that nothing else has changed."""

    def __init__(self, base: BaseModel) -> None:
        self.base = base
        self._modules = dict(base.model.named_modules())
        self._modes = {name: module.training for name, module in self._modules.items()}
        self._trains = {name: parameter.requires_grad for name, parameter in base.model.named_parameters()}
        self._prints = self._fingerprints()

    def is_restored(self) -> bool:
        """Put every module back in its place, and return whether the model is unchanged to the bit."""
        vars(self.base.model).pop("peft_config", None)
        for name, module in self._modules.items():
            parent, _, child = name.rpartition(".")
            if name:
                setattr(self._modules[parent], child, module)
            module.training = self._modes[name]
        if [*dict(self.base.model.named_modules())] != [*self._modules]:
            return False
        for name, parameter in self.base.model.named_parameters():
            parameter.requires_grad_(self._trains.get(name, False))
            parameter.grad = None
        return self._fingerprints() == self._prints

    def _fingerprints(self) -> dict[str, tuple[object, ...]]:
        model = self.base.model
        tensors: dict[str, Tensor] = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        prints = fingerprints(tensors)
        return {name: (tensor.dtype, tensor.shape, prints[name]) for name, tensor in tensors.items()}

"""Count the bytes of live tensors exactly, by tracking every storage that an operation makes."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from retspec.subjects.memory.dispatching import dispatching

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, UntypedStorage
    from torch.utils._python_dispatch import TorchDispatchMode


class LiveBytes:
    """Live bytes of storage, and their peak; a view shares the storage of its base."""

    def __init__(self, held: Iterable[Tensor]) -> None:
        self.live = 0
        self.peak = 0
        self._storages: dict[int, weakref.ref[UntypedStorage]] = {}
        for tensor in held:
            self.see(tensor)

    def see(self, tensor: Tensor) -> None:
        """Count the storage of a tensor, unless it is already counted."""
        storage = tensor.untyped_storage()
        key, size = id(storage), storage.nbytes()
        known = self._storages.get(key)
        if known is not None and known() is storage:
            return
        self._storages[key] = weakref.ref(storage, lambda _dead: self._forget(key, size))
        self.live += size
        self.peak = max(self.peak, self.live)
        self._born(key, size)

    def start_over(self) -> None:
        """Reset the peak to the bytes that are live now."""
        self.peak = self.live

    def watching(self) -> TorchDispatchMode:
        """Return a context that counts every tensor that an operation makes."""
        from torch import Tensor
        from torch.utils._pytree import tree_leaves

        def watch(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            made = operation(*args, **kwargs)
            for leaf in tree_leaves(made):
                if isinstance(leaf, Tensor):
                    self.see(leaf)
            return made

        return dispatching(watch)

    def _born(self, key: int, size: int) -> None:
        """Called for each new storage of `size` bytes, for subclasses that record more than the sum."""

    def _forget(self, key: int, size: int) -> None:
        self.live -= size
        self._storages.pop(key, None)

"""Counting the bytes of live tensors, exactly, by following every storage that an operation makes."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from retspec.subjects.memory.dispatching import dispatching

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, UntypedStorage
    from torch.utils._python_dispatch import TorchDispatchMode


class LiveBytes:
    """How many bytes of storage are alive, and were at most; a view shares the storage of its base."""

    def __init__(self, held: Iterable[Tensor]) -> None:
        self.live = 0
        self.peak = 0
        self._storages: dict[int, weakref.ref[UntypedStorage]] = {}
        for tensor in held:
            self.see(tensor)

    def see(self, tensor: Tensor) -> None:
        """Count the storage of a tensor, unless it is counted already."""
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
        """Forget the peak: the next one is counted from now on."""
        self.peak = self.live

    def watching(self) -> TorchDispatchMode:
        """Return a context in which every tensor that an operation makes is counted."""
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
        """Note a storage of so many bytes; for those who want to know more than the sum."""

    def _forget(self, key: int, size: int) -> None:
        self.live -= size
        self._storages.pop(key, None)

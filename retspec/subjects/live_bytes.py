"""Counting the bytes of live tensors, exactly, by following every storage that an operation makes."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

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
        from torch.utils._python_dispatch import TorchDispatchMode
        from torch.utils._pytree import tree_leaves

        count = self

        class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
            def __torch_dispatch__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
                made = function(*args, **(kwargs or {}))
                for leaf in tree_leaves(made):
                    if isinstance(leaf, Tensor):
                        count.see(leaf)
                return made

        return Watch()  # type: ignore[no-untyped-call]

    def _born(self, key: int, size: int) -> None:
        """Note a storage of so many bytes; for those who want to know more than the sum."""

    def _forget(self, key: int, size: int) -> None:
        self.live -= size
        self._storages.pop(key, None)

"""Intercept the operations of torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.utils._python_dispatch import TorchDispatchMode


def dispatching(handle: Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]) -> TorchDispatchMode:
    """Return a context in which `handle(operation, args, kwargs)` runs in place of every operation of torch."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Dispatching(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(self, operation: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return handle(operation, args, kwargs or {})

    return Dispatching()  # type: ignore[no-untyped-call]

"""Seeing every backward pass of a loop, and what becomes of it."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor


class BackwardUses:
    """Which backward passes led to a step of an optimizer, and which were zeroed by one before it; by their numbers."""

    def __init__(self) -> None:
        self.stepped: set[int] = set()
        self.zeroed: set[int] = set()

    @property
    def without_step(self) -> int:
        """How many led to no step: what one optimizer zeroes, as that of a critic, may be of use to another."""
        return len(self.zeroed - self.stepped)


@contextmanager
def backward_passes_seen(see: Callable[[Tensor | None, Callable[[], Any]], Any]) -> Iterator[None]:
    """Hand each backward pass to a function, with the scalar that it starts from, or None if it is no single scalar.

    There is no hook for this. `Tensor.backward` calls `torch.autograd.backward`, as some loops do themselves: that
    function is wrapped, and put back.
    """
    original = torch.autograd.backward

    def seen(tensors: Any, *args: Any, **kwargs: Any) -> Any:
        starts = (tensors,) if isinstance(tensors, torch.Tensor) else tuple(tensors)
        loss = starts[0] if len(starts) == 1 and starts[0].numel() == 1 else None
        return see(loss, partial(original, tensors, *args, **kwargs))

    torch.autograd.backward = seen
    try:
        yield
    finally:
        torch.autograd.backward = original

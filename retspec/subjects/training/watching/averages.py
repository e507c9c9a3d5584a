"""Averages of the weights that a training keeps, and whether they follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import nn


class Averages:
    """The averages that lived before the first step."""

    def __init__(self) -> None:
        self._met: list[tuple[ref[Any], tuple[float, ...]]] = []

    def meet(self, averages: Iterable[Any]) -> None:
        """Note the values of averages; those that hold no module that is known are left out."""
        self._met = [(ref(each), _values(held)) for each in averages if (held := _held(each)) is not None]

    def found(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the classes of those that still live, and of those of them that have the values that they had."""
        living = [(each, before) for each, before in ((there(), before) for there, before in self._met) if each]
        still = [each for each, before in living if (held := _held(each)) is not None and _values(held) == before]
        return tuple(type(each).__name__ for each, _ in living), tuple(type(each).__name__ for each in still)


def _held(average: Any) -> nn.Module | None:
    """Return the module with the averaged weights: the average itself, or what the first of timm, no module, holds."""
    from torch import nn

    module = average if isinstance(average, nn.Module) else getattr(average, "ema", None)
    return module if isinstance(module, nn.Module) else None


def _values(module: nn.Module) -> tuple[float, ...]:
    """Return two norms of each parameter, in float64: the smallest step of an average changes some of them.

    One alone may stay as it is: where as many weights grow as shrink, by the same, the sum of their sizes does.
    """
    from torch import float64
    from torch.linalg import vector_norm

    return tuple(float(vector_norm(p.detach(), order, dtype=float64)) for p in module.parameters() for order in (1, 2))

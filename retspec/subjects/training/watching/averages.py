"""Averages of the weights that a training keeps, and whether they follow."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import ref

from retspec.subjects.training.watching.living import outermost_modules

if TYPE_CHECKING:
    from torch import nn

KINDS = frozenset({"AveragedModel", "ModelEmaV2", "ModelEmaV3"})
"""Names of classes: the average of torch, and those of timm."""


class Averages:
    """The averages that lived before the first step."""

    def __init__(self) -> None:
        self._met: list[tuple[ref[nn.Module], tuple[float, ...]]] = []

    def meet(self) -> None:
        """Find them, and note their values; this looks at all objects that live."""
        known = [each for each in outermost_modules() if any(kind.__name__ in KINDS for kind in type(each).__mro__)]
        self._met = [(ref(each), _values(each)) for each in known]

    def found(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the classes of those that still live, and of those of them that have the values that they had."""
        living = [(each, before) for each, before in ((there(), before) for there, before in self._met) if each]
        still = [each for each, before in living if _values(each) == before]
        return tuple(type(each).__name__ for each, _ in living), tuple(type(each).__name__ for each in still)


def _values(module: nn.Module) -> tuple[float, ...]:
    """Return a sum for each parameter, in float64: the smallest step of an average changes some of them."""
    import torch

    return tuple(float(each.detach().abs().sum(dtype=torch.float64)) for each in module.parameters())

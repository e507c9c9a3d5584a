"""Several inputs per sample: they travel as one tensor, and are parted in front of the model.

Measurements divide a batch, zero it, differentiate by it and ask for its shape. With one tensor, all of them work for
two eyes, or an image and a table, as they do for one image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Self

from retspec.errors import SubjectError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

EXACT = 2**24
"""Integers up to this one are exact in float32."""
BYTES = 4
"""Of a float32."""


@dataclass(frozen=True)
class Layout:
    """Where the inputs of a sample lie in one row."""

    names: tuple[str, ...]
    """Of the arguments of `forward`; empty for inputs that are given in their order."""
    shapes: tuple[tuple[int, ...], ...]
    """Of each, without the batch dimension."""
    dtypes: tuple[torch.dtype, ...]

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return sum(map(prod, self.shapes))

    def parted(self, rows: Tensor) -> tuple[Tensor, ...] | dict[str, Tensor]:
        """Return the inputs in rows (images, width): by name, or in their order.

        Floating-point ones have the dtype of the rows, so that a model in half precision gets half precision.
        """
        found, start = [], 0
        for shape, dtype in zip(self.shapes, self.dtypes, strict=True):
            part = rows[:, start : start + prod(shape)].reshape(len(rows), *shape)
            found.append(part if dtype.is_floating_point else part.round().to(dtype))
            start += prod(shape)
        return dict(zip(self.names, found, strict=True)) if self.names else tuple(found)


def in_rows(inputs: Any, giver: str, path: str, what: str = "input") -> tuple[Tensor, Layout]:
    """Return several inputs or targets, each (images, ...), as rows (images, numbers), with their layout.

    giver: what gave them, and what: which of both they are, for messages.

    Raises SubjectError at the place `path` in the spec for anything but tensors of as many images, and for integers
    that a floating-point number does not hold.
    """
    import torch

    names = tuple(map(str, inputs)) if isinstance(inputs, Mapping) else ()
    given = [*(inputs.values() if isinstance(inputs, Mapping) else inputs)]
    if not given or not all(isinstance(each, torch.Tensor) and each.dim() for each in given):
        kinds = ", ".join(type(each).__name__ for each in given) or "nothing"
        raise SubjectError(f"{giver}: the {what}s are {kinds}, and each must be a tensor (images, ...)", path=path)
    if len({len(each) for each in given}) > 1:
        shapes = ", ".join(str(tuple(each.shape)) for each in given)
        raise SubjectError(f"{giver}: the {what}s have shapes {shapes}, and are not of as many images", path=path)
    integers = [each for each in given if not each.is_floating_point() and each.numel()]
    if any(int(each.abs().max() if each.dtype != torch.bool else 1) > EXACT for each in integers):
        raise SubjectError(
            f"{giver}: one {what} has integers beyond {EXACT}; give the {what}s in a `train.step`", path=path
        )
    layout = Layout(names, tuple(tuple(each.shape[1:]) for each in given), tuple(each.dtype for each in given))
    dtype = next((each.dtype for each in given if each.is_floating_point()), torch.float32)
    dtype = torch.float32 if integers and dtype.itemsize < BYTES else dtype
    return torch.cat([each.reshape(len(each), -1).to(dtype) for each in given], 1), layout


class Parts:
    """A forward pre-hook that gives a model the inputs that lie in the rows of a batch.

    layout: known once there is a batch; None while its inputs are one tensor. targets: that of several targets, which
    a loss or step of the user's own gets.
    """

    def __init__(self) -> None:
        self.layout: Layout | None = None
        self.targets: Layout | None = None

    def __deepcopy__(self, _memo: object) -> Self:
        return self  # a copy of a model gets the same batches

    def __call__(self, _model: nn.Module, args: Any, kwargs: Any) -> Any:
        """Return the arguments of `forward`; None for a call that has its own."""
        if self.layout is None or len(args) != 1 or kwargs or not self._is_rows(args[0]):
            return None
        given = self.layout.parted(args[0])
        return ((), given) if isinstance(given, dict) else (given, {})

    def require(self, dtype: torch.dtype) -> None:
        """Raise SubjectError for integers among the inputs of a model whose weights round them."""
        kinds = () if self.layout is None else self.layout.dtypes
        if dtype.itemsize < BYTES and not all(kind.is_floating_point for kind in kinds):
            raise SubjectError("one of several inputs holds integers, which half precision rounds", path="data.keys")

    def given(self, inputs: Tensor) -> Any:
        """Return what a function of the user's own gets as the inputs of a batch."""
        return inputs if self.layout is None else self.layout.parted(inputs)

    def wanted(self, targets: Tensor) -> Any:
        """Return what a function of the user's own gets as the targets of a batch."""
        return targets if self.targets is None else self.targets.parted(targets)

    def _is_rows(self, argument: Any) -> bool:
        import torch

        rows = isinstance(argument, torch.Tensor) and argument.dim() == 2  # noqa: PLR2004 - images and numbers
        return rows and self.layout is not None and argument.shape[1] == self.layout.width


def part_inputs(model: nn.Module, parts: Parts | None) -> nn.Module:
    """Return a model that gets the inputs in the rows of a batch from now on; as it is where there are no parts."""
    if parts is not None and parts_of(model) is None:
        # First: it looks at the inputs alone, before arguments that are fixed join them.
        model.register_forward_pre_hook(parts, with_kwargs=True, prepend=True)
    return model


def parts_of(model: nn.Module) -> Parts | None:
    """Return what `part_inputs` gave a model, or None."""
    return next((hook for hook in model._forward_pre_hooks.values() if isinstance(hook, Parts)), None)  # noqa: SLF001 - torch offers no way to look at them

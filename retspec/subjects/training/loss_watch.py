"""Watch what a loss of the user's own does with outputs and targets."""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor


def watched(targets: Tensor) -> Any:
    """Return a mode of torch that sees whether a loss holds every output against every target, and what torch's take.

    Warnings are those of the line that calls torch.
    """
    from torch import Tensor
    from torch.nn import functional
    from torch.overrides import TorchFunctionMode

    pairwise = {
        *(functional.mse_loss, functional.l1_loss, functional.smooth_l1_loss, functional.huber_loss),
        *(functional.poisson_nll_loss, functional.kl_div),
    }

    raw: dict[Any, str] = {
        functional.cross_entropy: "cross_entropy",
        functional.binary_cross_entropy_with_logits: "bce_with_logits",
    }

    class Watch(TorchFunctionMode):
        found = ""

        def __init__(self) -> None:
            super().__init__()
            self.taken: list[tuple[str, Tensor]] = []
            """The losses of torch that take raw logits, as `train.loss` names them, and what they were given."""

        def __torch_function__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
            given = [value for value in (*args, *(kwargs or {}).values()) if isinstance(value, Tensor)][:2]
            with _warnings_of_caller():
                result = function(*args, **(kwargs or {}))
            if function in raw and given:
                self.taken.append((raw[function], given[0]))
            if len(given) == 2 and not self.found and self._mixes(function, given[0], given[1], result):  # noqa: PLR2004 - a pair
                first, second = (tuple(tensor.shape) for tensor in given)
                self.found = (
                    f"tensors of shape {first} and {second} to {_shape_of(*given)}, so that every output is held "
                    "against every target; give both one shape, such as `logits.squeeze(1)`"
                )
            return result

        def _mixes(self, function: Any, first: Tensor, second: Tensor, result: Any) -> bool:
            """Whether outputs and targets of different shapes met, in a loss of torch or element by element."""
            if first.shape == second.shape:
                return False
            if function in pairwise:
                return True
            fixed = second if first.requires_grad else first
            grows = isinstance(result, Tensor) and result.numel() > max(first.numel(), second.numel())
            is_broadcast = grows and first.dim() != second.dim() and tuple(result.shape) == _shape_of(first, second)
            return is_broadcast and first.requires_grad != second.requires_grad and fixed.shape == targets.shape

    return Watch()


def _shape_of(first: Tensor, second: Tensor) -> tuple[int, ...] | None:
    """Return the shape that two tensors broadcast to, or None."""
    import torch

    try:
        return tuple(torch.broadcast_shapes(first.shape, second.shape))  # type: ignore[no-untyped-call]
    except RuntimeError:
        return None


@contextmanager
def _warnings_of_caller() -> Iterator[None]:
    """Give warnings the place of the innermost line outside torch and this file."""
    with warnings.catch_warnings(record=True) as caught:
        yield
    if caught:
        frame = sys._getframe()  # noqa: SLF001 - the documented way to walk a stack without its source
        inner = (__file__, contextmanager.__code__.co_filename, f"{os.sep}torch{os.sep}")
        while frame.f_back is not None and any(part in frame.f_code.co_filename for part in inner):
            frame = frame.f_back
        for each in caught:
            warnings.warn_explicit(each.message, each.category, frame.f_code.co_filename, frame.f_lineno)

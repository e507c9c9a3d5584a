"""Changing what enters the criteria of torch, wherever a training calls them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor


@contextmanager
def criteria_given(change: Callable[[str, Tensor, Tensor], tuple[Tensor, Tensor] | None]) -> Iterator[None]:
    """Give criteria another input and other targets.

    change: called with the name of the criterion, its input (batch, ...) and its targets; returns None to leave both.

    A function mode does it, not a function in place of `cross_entropy`: that one hands itself to modes by its name.
    """
    import torch
    from torch.overrides import TorchFunctionMode

    from retspec.subjects.training.watching.criteria import CRITERIA

    class Changing(TorchFunctionMode):
        def __torch_function__(
            self, function: Any, _types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
        ) -> Any:
            named = kwargs or {}
            if function not in CRITERIA:
                return function(*args, **named)
            given = dict(zip(("input", "target"), args, strict=False)) | named
            inputs, targets = given.get("input"), given.get("target")
            if isinstance(inputs, torch.Tensor) and isinstance(targets, torch.Tensor):
                changed = change(CRITERIA[function], inputs, targets)
                if changed is not None:
                    given["input"], given["target"] = changed
            return function(given.pop("input"), given.pop("target"), *args[2:], **given)

    with Changing():
        yield

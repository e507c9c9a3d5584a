"""A loss that a function of the user's own computes."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError
from retspec.subjects.callables import call, load_callable

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

LOSS = "train.loss"


class OwnLoss:
    """Calls `package.module:callable(logits, targets)`.

    A function that has parameters of these names gets the logits, where it is certain what they are. Any other gets, in
    this order, what the model returned and the targets, as in `loss(model(inputs), targets)`.
    """

    def __init__(self, reference: str) -> None:
        self._reference = reference
        self._function = load_callable(reference, path=LOSS)
        if isinstance(self._function, type):
            raise SubjectError(f"{reference} is a class; name an object of it, or a function", path=LOSS)
        self._by_name = _takes(self._function, "logits", "targets")

    def __call__(self, outputs: Any, logits: Tensor | None, targets: Any, *, learns: bool) -> Tensor:
        """Return the loss, a scalar.

        outputs: what the model returned. logits: (images, ...), found in it; None where that is not certain. targets:
        (images, ...). learns: whether the loss must require a gradient.

        Raises SubjectError when the function fails, or gives no scalar that depends on the logits.
        """
        found = outputs if logits is None else logits
        given = {"logits": found, "targets": targets} if self._by_name else (outputs, targets)
        made = call(self._reference, self._function, given, path=LOSS)
        return scalar(self._reference, made, learns=learns, path=LOSS)


def scalar(reference: str, made: Any, *, learns: bool, path: str) -> Tensor:
    """Return a loss of the user's own.

    learns: whether it must require a gradient, where gradients are recorded.

    Raises SubjectError when it is no tensor of one element, or does not require a gradient although it must.
    """
    import torch

    if not isinstance(made, torch.Tensor):
        kind = "nothing" if made is None else type(made).__name__
        raise SubjectError(f"{reference} gave {kind}, not the loss as a tensor", path=path)
    if made.numel() != 1:
        raise SubjectError(
            f"{reference} gave a tensor of shape {tuple(made.shape)}, and a loss is a scalar; take its mean",
            path=path,
        )
    if learns and torch.is_grad_enabled() and not made.requires_grad:
        raise SubjectError(
            f"{reference} gave a loss that requires no gradient, so that nothing trains; it was detached, or computed "
            "without gradients",
            path=path,
        )
    return made


def _takes(function: Callable[..., Any], *names: str) -> bool:
    """Whether a function can be called with these keywords alone."""
    called = getattr(function, "forward", function)  # a module of torch takes anything in `__call__`
    try:
        inspect.signature(called).bind(**dict.fromkeys(names))
    except (TypeError, ValueError):  # other names, or no signature
        return False
    return True

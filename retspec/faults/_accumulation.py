"""Undoing the division of losses by the number of micro-batches, as the graph of each loss shows it."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from retspec.subjects.patching import patched
from retspec.subjects.training.watching.loss_weight import loss_weight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from retspec.faults._patching import Chance
    from retspec.subjects.training.watching.criteria import Criteria

_SAME = 1e-3
"""Relative distance within which a weight is one over the number of micro-batches."""


@contextmanager
def undivided(chance: Chance) -> Iterator[None]:
    """Multiply each loss by the backward passes of the step before, if it was divided by as many."""
    import torch
    from torch.optim.optimizer import register_optimizer_step_post_hook

    from retspec.subjects.training.watching.criteria import Criteria, LossMode

    undoing = _Undoing(chance, Criteria())
    with ExitStack() as stack:
        stack.callback(register_optimizer_step_post_hook(undoing.step_taken).remove)
        stack.enter_context(patched(torch.amp.GradScaler, "scale", undoing.noting_scale))
        stack.enter_context(patched(torch.autograd, "backward", undoing.backward))
        stack.enter_context(LossMode(undoing.criteria))
        yield


class _Undoing:
    def __init__(self, chance: Chance, criteria: Criteria) -> None:
        self.criteria = criteria
        self._chance = chance
        self._scale = 1.0
        self._backwards = 0
        self._in_step = 0
        """Backward passes of the step before."""

    def step_taken(self, *_args: Any) -> None:
        """Begin to count the next step's."""
        self.criteria.step_taken()
        self._in_step, self._backwards = self._backwards or self._in_step, 0

    def noting_scale(self, scale: Callable[..., Any]) -> Callable[..., Any]:
        """Return a method of a scaler that notes by what it multiplies."""

        def noting(scaler: Any, outputs: Any) -> Any:
            self._scale = float(scaler.get_scale())
            return scale(scaler, outputs)

        return noting

    def backward(self, backward: Callable[..., Any]) -> Callable[..., Any]:
        """Return a backward pass of undivided losses."""

        def undivided_backward(tensors: Any, *args: Any, **kwargs: Any) -> Any:
            self._backwards += 1
            starts = self._undivided(tensors) if getattr(tensors, "numel", int)() == 1 else tensors
            return backward(starts, *args, **kwargs)

        return undivided_backward

    def _undivided(self, loss: Tensor) -> Tensor:
        weight, number = loss_weight(loss, self.criteria.nodes), self._in_step
        scale, self._scale = self._scale, 1.0
        if weight is None or number < 2 or abs(weight * number / scale - 1) > _SAME:  # noqa: PLR2004 - one is not accumulated
            return loss
        self._chance.taken = True
        return loss * number

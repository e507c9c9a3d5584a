"""`Beginning`: what the first steps of a training came to, for measurements that would take them again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.subjects.models.dropout import drops
from retspec.subjects.models.state import fingerprints, preserved, trained_tensors
from retspec.subjects.models.structure import adapter_parameters, has_adapter
from retspec.subjects.seeds import remembered, states_kept
from retspec.subjects.training.gradients import Gradients

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor, nn

    from retspec.records import Recipe
    from retspec.subjects.data.batch import Batch
    from retspec.subjects.training.making import TrainerMaker

BEGINNING = 3
"""Steps that are remembered."""


@dataclass(frozen=True)
class BatchGradient:
    """Gradients of the whole batch, and the weights of what trains, by name, at which they are."""

    weights: Mapping[str, Tensor]
    gradients: Gradients


@dataclass(frozen=True)
class Beginning:
    """The first steps of a training on the model as it was built.

    put_states: restores the random numbers from which it began. prints: fingerprints of what trains, after these steps.
    gradient: of the last of these steps, before its update; None for a model without an adapter, where it is as large
    as the model, and for a step of several micro-batches.
    """

    recipe: Recipe
    put_states: Callable[[], None]
    losses: tuple[float, ...]
    prints: Mapping[str, int]
    gradient: BatchGradient | None = None

    def may_be_of(self, model: nn.Module, trainer: TrainerMaker, steps: int) -> bool:
        """Whether a training of so many steps, with dropout, may begin like that: it had dropout, or there is none."""
        has_dropout = self.recipe.dropout == "keep" or not drops(model)
        return steps == len(self.losses) and trainer.recipe == self.recipe and has_dropout

    def gradient_of(self, model: nn.Module, trainer: TrainerMaker) -> BatchGradient | None:
        """Return the gradient of the whole batch, without dropout, of a training like that of `trainer`.

        None where the beginning has none, and where a factor of an adapter was zero still: its counterpart has no
        gradient then.
        """
        has_dropout = self.recipe.dropout == "keep" and drops(model)
        if self.gradient is None or trainer.recipe != self.recipe or has_dropout:
            return None
        adapters = adapter_parameters(model).keys()
        factors = [name for name, p in model.named_parameters() if p.requires_grad and id(p) in adapters]
        return self.gradient if all(self.gradient.weights[name].any() for name in factors) else None

    def comes_again(self, model: nn.Module, batch: Batch, trainer: TrainerMaker) -> bool:
        """Train again from the same random numbers; return whether all is finite and equal, bit by bit.

        Raises Inconclusive for a loss that is not finite.
        """
        with preserved(model), states_kept():
            self.put_states()
            model.train()
            running = trainer.on(model, batch)
            for loss in self.losses:
                if running.finite_backward() != loss:
                    return False
                running.update()
            is_finite = all(bool(p.isfinite().all()) for p in model.parameters() if p.requires_grad)
            return is_finite and _prints_of(model) == self.prints


class Memory:
    """Remembers the beginning of a training, step by step; made when it is about to begin."""

    def __init__(self, recipe: Recipe, model: nn.Module) -> None:
        self._recipe = recipe
        self._model = model
        self._put_states = remembered()
        self._losses: list[float] = []
        self._gradient: BatchGradient | None = None
        self.beginning: Beginning | None = None
        """None until so many steps are taken."""

    def before_update(self, loss: float) -> None:
        """Remember the loss of a step, and the last of the gradients."""
        self._losses.append(loss)
        if len(self._losses) == BEGINNING and self._recipe.accumulation == 1 and has_adapter(self._model):
            self._gradient = BatchGradient(trained_tensors(self._model), Gradients.held_by(self._model, loss))

    def after_update(self) -> None:
        """Remember what the last of the steps came to."""
        if len(self._losses) == BEGINNING:
            losses = tuple(self._losses)
            self.beginning = Beginning(self._recipe, self._put_states, losses, _prints_of(self._model), self._gradient)


def _prints_of(model: nn.Module) -> dict[str, int]:
    """Return a fingerprint of each parameter that trains, by its name."""
    return fingerprints({name: p for name, p in model.named_parameters() if p.requires_grad})

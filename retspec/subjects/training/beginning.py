"""`Beginning`: what the first steps of a training came to, to see whether they come again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.subjects.models.dropout import drops
from retspec.subjects.models.state import fingerprints, preserved
from retspec.subjects.seeds import states_kept

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

    from retspec.records import Recipe
    from retspec.subjects.data.batch import Batch
    from retspec.subjects.training.making import TrainerMaker

BEGINNING = 3
"""Steps that are remembered."""


@dataclass(frozen=True)
class Beginning:
    """The first steps of a training on the model as it was built.

    put_states: restores the random numbers from which it began. prints: fingerprints of what trains, after these steps.
    """

    recipe: Recipe
    put_states: Callable[[], None]
    losses: tuple[float, ...]
    prints: Mapping[str, int]

    def may_be_of(self, model: nn.Module, trainer: TrainerMaker, steps: int) -> bool:
        """Whether a training of so many steps, with dropout, may begin like that: it had dropout, or there is none."""
        has_dropout = self.recipe.dropout == "keep" or not drops(model)
        return steps == len(self.losses) and trainer.recipe == self.recipe and has_dropout

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
            return is_finite and prints_of(model) == self.prints


def prints_of(model: nn.Module) -> dict[str, int]:
    """Return a fingerprint of each parameter that trains, by its name."""
    return fingerprints({name: p for name, p in model.named_parameters() if p.requires_grad})

"""The measurement `repetition`: whether the same seed gives the same training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.facts import Repetition
from retspec.plugin import Cost, Passes, measurement
from retspec.subjects.models.state import in_double, preserved
from retspec.subjects.seeds import seeded
from retspec.subjects.training.beginning import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from retspec.measurements.training import Trained
    from retspec.records import Recipe
    from retspec.subjects.data.batch import Batch
    from retspec.subjects.training.making import TrainerMaker

SEED = 0


def _passes(recipe: Recipe, repeated_steps: int) -> Passes:
    return _shared_passes(recipe, repeated_steps) * 2


def _shared_passes(recipe: Recipe, repeated_steps: int) -> Passes:
    each = repeated_steps * recipe.accumulation
    return Passes(forward=each, backward=each)


@measurement(cost=Cost.TRAINING, passes=_passes, shared_passes=_shared_passes)
def repetition(
    model: nn.Module,
    batch: Batch,
    trainer: TrainerMaker,
    made_training: Trained | None,
    progress: Callable[[int, int], None],
    *,
    repeated_steps: Annotated[int, Meta(ge=1, description="Steps of each of the two trainings.")] = BEGINNING,
) -> Repetition:
    """Train twice from the same weights and the same seed, with dropout, and compare losses and parameters.

    See https://docs.pytorch.org/docs/stable/notes/randomness.html

    The first steps of a training that was made are the first of the two: if they come again bit by bit, nothing
    differs. If not, both are made here.

    Raises Inconclusive for a loss that is not finite.
    """
    begun = made_training.beginning if made_training else None
    if (
        begun is not None
        and begun.may_be_of(model, trainer, repeated_steps)
        and begun.comes_again(model, batch, trainer)
    ):
        return Repetition(losses=0.0, parameters=0.0, worst="")
    runs = []
    for turn in range(2):
        progress(turn + 1, 2)
        runs.append(_train(model, batch, trainer, repeated_steps))
    (losses, trained), (losses_again, trained_again) = runs
    distances = {name: float((trained[name] - trained_again[name]).abs().max()) for name in trained}
    worst = max(distances, key=lambda name: distances[name])
    return Repetition(
        losses=max(abs(one - other) for one, other in zip(losses, losses_again, strict=True)),
        parameters=distances[worst],
        worst=worst if distances[worst] else "",
    )


def _train(model: nn.Module, batch: Batch, trainer: TrainerMaker, steps: int) -> tuple[list[float], dict[str, Tensor]]:
    """Return the mean loss of each step, and the trained parameters by name, in float64 on the CPU."""
    losses = []
    with preserved(model), seeded(SEED):
        model.train()
        running = trainer.on(model, batch)
        for _step in range(steps):
            losses.append(running.finite_backward())
            running.update()
        trained = {name: in_double(p) for name, p in model.named_parameters() if p.requires_grad}
    return losses, trained

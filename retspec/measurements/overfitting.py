"""The measurement `overfitting`: whether the training can memorize a few samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.errors import Inconclusive
from retspec.facts import Overfitting
from retspec.plugin import Cost, Passes, measurement
from retspec.subjects.models.dropout import without_dropout
from retspec.subjects.models.state import preserved

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from retspec.records import Recipe
    from retspec.subjects.data.batch import Batch
    from retspec.subjects.training.making import TrainerMaker
    from retspec.subjects.training.trainer import Trainer

LEARNT = 0.01
"""Mean loss at which the samples count as learnt."""


def _passes(recipe: Recipe, samples: int, most_steps: int) -> Passes:  # noqa: ARG001 - every counter gets all
    each = (most_steps + 1) * recipe.accumulation
    return Passes(forward=each, backward=each)


def _fewest_passes(recipe: Recipe, **_others: object) -> Passes:
    return Passes(forward=recipe.accumulation, backward=recipe.accumulation)


@measurement(cost=Cost.TRAINING, passes=_passes, fewest_passes=_fewest_passes)
def overfitting(
    model: nn.Module,
    take_batch: Callable[[int], Batch],
    trainer: TrainerMaker,
    progress: Callable[[int, int], None],
    *,
    samples: Annotated[int, Meta(ge=2, description="Images to memorize, balanced over the classes.")] = 10,
    most_steps: Annotated[int, Meta(ge=1, description="Steps after which the training gives up.")] = 100,
) -> Overfitting:
    """Train on a few samples, without dropout, until all are right and the loss is at most 0.01.

    This is "overfit one batch" of https://karpathy.github.io/2019/04/25/recipe/

    Raises Inconclusive for a loss that is not finite, and for a training that does not show its logits.
    """
    batch = take_batch(samples)
    with preserved(model), without_dropout(model):
        model.train()
        watched, first = _Watched(trainer.on(model, batch, steps=most_steps)), 0.0
        for step in range(most_steps + 1):
            progress(step, most_steps)
            loss, accuracy = watched.look()
            first = loss if step == 0 else first
            learnt = loss <= LEARNT and accuracy == 1.0
            if learnt or step == most_steps:
                break
            watched.trainer.update()
    return Overfitting(
        samples=len(batch.inputs),
        most_steps=most_steps,
        learnt_at=step if learnt else None,
        accuracy=accuracy,
        loss=loss,
        floor_known=watched.trainer.chance_loss is not None,
        first_loss=first,
        suspicions=watched.trainer.suspicions,
    )


class _Watched:
    """A trainer, and the number of samples that its model classifies correctly."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self._right = self._seen = 0
        trainer.see = self._see

    def look(self) -> tuple[float, float]:
        """Compute the gradients; return the mean loss, and the accuracy from 0 to 1, before the update.

        Raises Inconclusive for a loss that is not finite, and for a training that does not show its logits.
        """
        self._right = self._seen = 0
        loss = self.trainer.finite_backward()
        if not self._seen:
            raise Inconclusive(
                "the training does not show its logits (`Trainer.see`, or `outputs` of `train.step`), so no answer "
                "can be counted"
            )
        return loss, self._right / self.trainer.batch_size

    def _see(self, logits: Tensor, targets: Tensor) -> None:
        """Count the correct predictions of a micro-batch.

        logits: (images, classes). targets: class indices (images,), or probabilities (images, classes).
        """
        self._seen += len(targets)
        classes = targets if targets.dim() == 1 else targets.argmax(-1)
        self._right += int((logits.argmax(-1) == classes).sum())

"""The measurement `overfitting`: whether the training can memorize a few samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta
from msgspec.structs import replace

from retspec.errors import Inconclusive
from retspec.facts import Overfitting
from retspec.plugin import Cost, Passes, measurement
from retspec.records import NAMED_LOSSES
from retspec.subjects.models.dropout import without_dropout
from retspec.subjects.models.state import preserved
from retspec.subjects.training.tasks.choosing import task_of
from retspec.subjects.training.tasks.task import LEARNT

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from retspec.records import Recipe
    from retspec.subjects.data.batch import Batch
    from retspec.subjects.training.making import TrainerMaker
    from retspec.subjects.training.tasks.task import Right, Task
    from retspec.subjects.training.trainer import Trainer


MOST_LOSSES = 99


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
    """Train on a few samples, without dropout, until they are learnt by heart, as their task says.

    For classes, that is when all are right and the loss is at most 0.01. A task whose loss has no scale of its own,
    such as regression, goes on to that loss for `overfit_loss`. This is "overfit one batch" of
    https://karpathy.github.io/2019/04/25/recipe/

    Raises Inconclusive for a loss that is not finite, for a training that does not show its logits, and for targets
    that anything is right about.
    """
    batch = take_batch(samples)
    with preserved(model), without_dropout(model):
        model.train()
        watched = _Watched(trainer.on(model, batch, steps=most_steps), trainer)
        looks: list[_Look] = []
        losses: list[tuple[int, float]] = []
        learnt: _Look | None = None
        for step in range(most_steps + 1):
            progress(step, most_steps)
            look = watched.look(step)
            looks = [*looks[:1], look]
            losses.append((step, look.loss))
            learnt = look if learnt is None and look.is_learnt else learnt
            if (learnt and look.loss <= LEARNT) or step == most_steps:
                break
            watched.trainer.update()
    facts = watched.facts(looks[0], learnt, looks[-1], most_steps)
    return replace(facts, losses=_thinned(losses))


def _thinned(losses: list[tuple[int, float]]) -> tuple[tuple[int, float], ...]:
    """Return so many at equal distances, and the last."""
    every = -(-len(losses) // MOST_LOSSES)
    return (*losses[:-1:every], losses[-1])


@dataclass(frozen=True)
class _Look:
    """What was seen before an update."""

    step: int
    loss: float
    right: Right | None
    is_learnt: bool


class _Watched:
    """A trainer, and what its model answers."""

    def __init__(self, trainer: Trainer, maker: TrainerMaker) -> None:
        self.trainer = trainer
        self._recipe = maker.recipe
        self._names_loss = maker.is_recipe and maker.recipe.step is None and maker.recipe.loss in NAMED_LOSSES
        self._task: Task | None = None
        self._first = 0.0
        self._seen: list[tuple[Tensor, Tensor]] = []
        trainer.see = self._see

    def look(self, step: int) -> _Look:
        """Compute the gradients; return the mean loss and what is right, before the update.

        Raises Inconclusive for a loss that is not finite, and for a training that does not show its logits.
        """
        import torch

        self._seen = []
        loss = self.trainer.finite_backward()
        if not self._seen:
            raise Inconclusive(
                "the training does not show its logits (`Trainer.see`, or `outputs` of `train.step`), so no answer "
                "can be counted"
            )
        outputs, targets = (torch.cat([*each]) for each in zip(*self._seen, strict=True))
        if step == 0:
            self._first = loss
            self._task = self.trainer.task or task_of(self._recipe.task, "", outputs, targets)
        right = self._task.right(outputs, targets) if self._task else None
        return _Look(step, loss, right, self._is_learnt(right, loss))

    def _is_learnt(self, right: Right | None, loss: float) -> bool:
        """Whether the samples are learnt; where nothing says what is right, a loss that was higher must say it."""
        if self._task is None or right is None:
            return self._first > LEARNT and 0 <= loss <= LEARNT
        return self._task.is_learnt(right, loss)

    def facts(self, first: _Look, learnt: _Look | None, last: _Look, most_steps: int) -> Overfitting:
        """Return the facts about a training that ended."""
        task, right = self._task, (learnt or last).right
        unknown = self._unknown(last) if learnt is None or right is None else ""
        return Overfitting(
            samples=self.trainer.batch_size,
            most_steps=most_steps,
            learnt_at=learnt.step if learnt else None,
            accuracy=None if unknown or right is None else right.share,
            loss=last.loss,
            floor_known=self.trainer.floor_known,
            first_loss=first.loss,
            suspicions=self.trainer.suspicions,
            task=task.name if task else "",
            counts=task.counts if task else "",
            scores=dict(right.details) if right else {},
            unknown=unknown,
        )

    def _unknown(self, last: _Look) -> str:
        """Return why it is not known what is right; empty where it is."""
        if self._task is None:
            return "what a right answer is cannot be seen in outputs and targets; say it as `train.task`"
        if last.right is None:
            return f"the task {self._task.name} says nothing about right answers"
        if self._names_loss or not 0 <= last.loss <= LEARNT or last.right.share >= self._task.least:
            return ""
        return (
            f"the loss is learnt ({last.loss:.3g}), and {last.right.share:.3g} of the answers are right for the task "
            f"{self._task.name}, so that your loss means another; say it as `train.task`"
        )

    def _see(self, logits: Tensor, targets: Tensor) -> None:
        """Keep the logits (images, ...) and targets of a micro-batch; a loss may change them in place."""
        self._seen.append((logits.clone(), targets))

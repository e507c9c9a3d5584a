"""The measurement `data_wait`: the share of a training that is spent waiting for data."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.errors import Inconclusive
from retspec.facts import DataWait
from retspec.facts.timing import LEAST_SAMPLES
from retspec.plugin import Cost, Passes, measurement
from retspec.subjects.data.batch import Batch
from retspec.subjects.data.loaders import ROUNDS, batches_per_round, one_process
from retspec.subjects.devices import cores, synchronize
from retspec.subjects.models.state import preserved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch
    from torch import Tensor, nn

    from retspec.facts import Loop
    from retspec.records import Recipe
    from retspec.subjects.data.loaders import Feed
    from retspec.subjects.training.making import TrainerMaker
    from retspec.subjects.training.trainer import Trainer


MOST_WORKERS = 4
"""Most worker processes by default: more rarely make a training faster."""

Workers = Annotated[
    int,
    Meta(
        ge=0,
        description="Worker processes; by default those of the loader that `data` returns, or one per core, up to 4, "
        "none on macOS.",
    ),
]


def _passes(recipe: Recipe, workers: int | None) -> Passes:
    """Return the most passes that the measurement may need: by default the machine decides the number of workers."""
    steps = (1 + ROUNDS) * batches_per_round(MOST_WORKERS if workers is None else workers)
    return Passes(forward=steps * recipe.accumulation, backward=steps * recipe.accumulation)


@measurement(cost=Cost.TRAINING, passes=_passes)
def data_wait(
    model: nn.Module,
    feed: Feed,
    trainer: TrainerMaker,
    device: torch.device,
    progress: Callable[[int, int], None],
    *,
    workers: Workers | None = None,
) -> DataWait:
    """Train on batches from a loader, and time waiting and training separately.

    Of a training of the user's own, it is the waiting of its loop; nothing is trained.

    Raises Inconclusive for a loss that is not finite.
    """
    if trainer.watched is not None:
        return watched_wait(trainer.watched.loop)
    number = next(choice for choice in (workers, feed.workers, _by_default(device)) if choice is not None)
    size = batches_per_round(number if workers is not None else min(number, MOST_WORKERS))
    waited, trained = [], []
    with preserved(model):
        model.train()
        timed = _TimedTraining(model, trainer, device)
        for turn, batches in enumerate(feed.rounds(number, size)):
            progress(turn, 1 + ROUNDS)
            waiting, training = timed.run(batches)
            waited.append(waiting)
            trained.append(training)
    return DataWait(number, tuple(waited[1:]), tuple(trained[1:]), feed.pinning(device))


def watched_wait(loop: Loop) -> DataWait:
    """Return the waiting of a loop that was watched: its steps after the first one, in rounds of as many each.

    Raises Inconclusive for a loop without a DataLoader, and for one of too few steps.
    """
    if not loop.from_loader:
        raise Inconclusive("no DataLoader gave the batches, so that nobody waited for one")
    _, *steps = _of_main(loop)
    if len(steps) < LEAST_SAMPLES:
        raise Inconclusive(f"{len(steps)} steps after the first are too few for a median; raise `train.steps`")
    size = max(1, len(steps) // ROUNDS)
    rounds = [steps[first : first + size] for first in range(0, len(steps) - size + 1, size)]
    waited = [sum(waiting for waiting, _ in each) for each in rounds]
    trained = [sum(training for _, training in each) for each in rounds]
    return DataWait(loop.workers, tuple(waited), tuple(trained))


def _of_main(loop: Loop) -> Iterator[tuple[float, float]]:
    """Give the seconds of each step of the largest optimizer: waiting, and the rest; with those of other optimizers."""
    main = loop.main
    waiting = training = 0.0
    for step in loop.steps:
        waiting += step.waited
        training += max(step.seconds - step.waited, 0.0)
        if step.optimizer == main:
            yield waiting, training
            waiting = training = 0.0


def _by_default(device: torch.device) -> int:
    return 0 if one_process(device) else min(cores(), MOST_WORKERS)


class _TimedTraining:
    """A training that takes one step on each batch."""

    def __init__(self, model: nn.Module, trainer: TrainerMaker, device: torch.device) -> None:
        self._model = model
        self._maker = trainer
        self._device = device
        self._trainer: Trainer | None = None

    def run(self, batches: Iterator[tuple[Tensor, Tensor]]) -> tuple[float, float]:
        """Return the seconds spent waiting for batches, and the seconds spent training on them.

        batches: (inputs, targets): tensors (batch, ...) and (batch,) or (batch, classes), on any device.

        Raises Inconclusive for a loss that is not finite.
        """
        waiting = training = 0.0
        started = perf_counter()
        for images, labels in batches:
            arrived = perf_counter()
            self._step(images, labels)
            synchronize(self._device)
            done = perf_counter()
            waiting += arrived - started
            training += done - arrived
            started = done
        return waiting, training

    def _step(self, images: Tensor, labels: Tensor) -> None:
        own = (parameter.dtype for parameter in self._model.parameters() if parameter.is_floating_point())
        dtype = next(own, images.dtype) if images.is_floating_point() else images.dtype
        batch = Batch(images.to(self._device, dtype), labels.to(self._device))
        if self._trainer is None:
            self._trainer = self._maker.on(self._model, batch)
        self._trainer.take(batch)
        self._trainer.finite_backward()
        self._trainer.update()

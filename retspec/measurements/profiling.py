"""The measurement `profile`: the operators that take most of a training step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.facts import Operator, Profile
from retspec.plugin import Cost, Passes, measurement
from retspec.subjects.models.state import preserved

if TYPE_CHECKING:
    from torch import nn

    from retspec.records import Recipe
    from retspec.subjects.data.batch import Batch
    from retspec.subjects.training.making import TrainerMaker
    from retspec.subjects.training.trainer import Trainer

DEAREST = 10
"""Number of operators that are kept."""


def _passes(recipe: Recipe) -> Passes:
    return Passes(forward=2 * recipe.accumulation, backward=2 * recipe.accumulation)


@measurement(cost=Cost.TRAINING, passes=_passes)
def profile(model: nn.Module, batch: Batch, trainer: TrainerMaker) -> Profile:
    """Time the operators of one training step, after a warm-up step.

    The profiler counts microseconds: https://docs.pytorch.org/docs/stable/profiler.html

    Raises Inconclusive for a loss that is not finite.
    """
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as watch

    on_cuda = batch.inputs.device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_cuda else [])]
    with preserved(model):
        model.train()
        running = trainer.on(model, batch)
        _step(running)
        with watch(activities=activities) as profiler:
            _step(running)
    attribute = "self_device_time_total" if on_cuda else "self_cpu_time_total"
    rows = sorted(profiler.key_averages(), key=lambda row: -float(getattr(row, attribute)))
    return Profile(tuple(Operator(r.key, float(getattr(r, attribute)) / 1000, r.count) for r in rows[:DEAREST]))


def _step(running: Trainer) -> None:
    running.finite_backward()
    running.update()

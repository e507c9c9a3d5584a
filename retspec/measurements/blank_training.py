"""The measurement `blank_training`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.measurements.fitting import fewest_passes, fitting_passes, train_and_watch
from retspec.plugin import Cost, measurement
from retspec.subjects.subject import Batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from retspec.facts import Training
    from retspec.records import Recipe


@measurement(cost=Cost.TRAINING, passes=fitting_passes, fewest_passes=fewest_passes)
def blank_training(
    model: nn.Module,
    batch: Batch,
    recipe: Recipe,
    progress: Callable[[int, int], None],
    *,
    steps: Annotated[int, Meta(ge=1, description="Optimizer steps.")],
    lr: Annotated[float, Meta(ge=0, description="Learning rate.")],
) -> Training:
    """Train as `fitting` does, on the same labels, with the inputs zeroed.

    Where `train.stop_at_drop` ends it early, the labels alone were enough for that drop.
    """
    import torch

    blank = Batch(torch.zeros_like(batch.inputs), batch.targets)
    return train_and_watch(model, blank, replace(recipe, steps=steps, lr=lr), progress).training

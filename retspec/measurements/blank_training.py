"""The measurement `blank_training`: how far the loss falls without the images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import NoVerdict
from retspec.measurements.training import LearningRate, Steps, fewest_passes, train, training_passes
from retspec.plugin import Cost, measurement
from retspec.subjects.data.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from retspec.facts import Training
    from retspec.subjects.training.making import TrainerMaker


@measurement(cost=Cost.TRAINING, passes=training_passes, fewest_passes=fewest_passes)
def blank_training(
    model: nn.Module,
    batch: Batch,
    trainer: TrainerMaker,
    progress: Callable[[int, int], None],
    *,
    steps: Steps,
    lr: LearningRate,
) -> Training:
    """Train as `training` does, on the same labels, with all inputs set to zero.

    If `train.stop_at_drop` ends it early, the labels alone were enough for that drop. This is the "input-independent
    baseline" of https://karpathy.github.io/2019/04/25/recipe/

    Raises NoVerdict for a model without trainable parameters, and for a task whose targets are the inputs.
    """
    import torch

    if trainer.watched is not None:
        raise NoVerdict("this trains a second time with blank images, and a training of your own runs as it is")
    if trainer.recipe.task == "self_supervised":
        raise NoVerdict("the task self_supervised learns the inputs themselves, and blank ones are learnt at once")
    blank = Batch(torch.zeros_like(batch.inputs), batch.targets)
    return train(model, blank, trainer.varied(steps=steps, lr=lr), progress)

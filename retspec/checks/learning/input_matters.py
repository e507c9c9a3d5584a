"""`input_matters`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.facts import Training
from retspec.facts.training import drop, task_shown
from retspec.plugin import Inconclusive, Observed, check


@check(
    direction="at least",
    advice="Look at what the transforms do to an image just before the model: a scale of zero, a mask over "
    "everything, a normalization with the wrong constants. Look for layers that drop their input.",
)
def input_matters(
    training: Training, blank_training: Training
) -> Observed[Annotated[float, Meta(extra={"rare": -10})]]:
    """Does the model learn from its inputs, or from the labels alone?

    Why it matters:
        A pipeline that destroys its input still lets the loss fall a little: class frequencies can be learned without
        looking.

    Example:
        input_matters: 0.2

    What the number means:
        How much further the loss falls on the real batch than on the same labels with the inputs set to zero, as a
        fraction of the first loss: the "input-independent baseline" of Karpathy, A Recipe for Training Neural Networks
        (https://karpathy.github.io/2019/04/25/recipe/). Healthy models reach 0.5 and more on a balanced batch. Under
        `train.stop_at_drop` the training on the real batch ends there, while the one without inputs takes every step;
        if that one gets there too, the inputs were not needed, and the number is not above zero.
    """
    real, blank = training.finite_losses(2), blank_training.finite_losses(2)
    if min(real[0], blank[0]) <= 0:
        raise Inconclusive("the loss is not positive, so a drop is no fraction of it")
    drops = {"drop": drop(real), "drop with inputs zeroed": drop(blank)}
    gap = drops["drop"] - drops["drop with inputs zeroed"]
    if blank_training.ended_early:  # the labels were enough; which of the two overshot farther is chance
        gap = min(gap, 0.0)
    steps = {"steps": len(real), "steps with inputs zeroed": len(blank)}
    return Observed(gap, {**drops, **steps, **task_shown(training.task)})

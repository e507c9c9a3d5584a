"""`loss_drop`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.facts import Training
from retspec.facts.training import drop
from retspec.plugin import Observed, check


@check(
    direction="at least",
    advice="Raise `train.lr` (1e-3 suits LoRA with AdamW), check that the labels stay the same over the steps, and "
    "look at `dead_gradients` and `unchanged_params` for parts that do not train.",
)
def loss_drop(training: Training) -> Observed[Annotated[float, Meta(le=1, extra={"rare": -10})]]:
    """Does the model learn a fixed batch?

    Why it matters:
        A setup that cannot learn even one batch cannot learn anything: networks can fit random labels
        (https://arxiv.org/abs/1611.03530). On its own this check misses a dead adapter or a frozen head, since each can
        fit a batch without the other: pair it with `unchanged_params`, `dead_gradients` and `head_trainable`.

    Example:
        loss_drop: 0.5

    What the number means:
        1 - last loss / first loss, over `train.steps` steps. Healthy LoRA setups reach 0.9 and more in 20 steps on
        random images, and in about 50 on normalized photographs. `train.stop_at_drop` ends the training as soon as this
        number reaches it, so set no limit above it. The test is "overfit one batch" of Karpathy, A Recipe for Training
        Neural Networks (https://karpathy.github.io/2019/04/25/recipe/).
    """
    losses = training.positive_losses()
    return Observed(drop(losses), {"first": losses[0], "last": losses[-1], **training.extent})

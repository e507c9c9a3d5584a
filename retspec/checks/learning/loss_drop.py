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
    "look at `dead_gradients` and `unchanged_params` for parts that take no part.",
)
def loss_drop(training: Training) -> Observed[Annotated[float, Meta(le=1)]]:
    """Does the model learn a fixed batch?

    Why it matters:
        A setup that cannot even learn one batch by heart learns nothing else. Alone it does not notice a dead adapter
        or a frozen head, since each of the two learns a batch without the other: pair it with `unchanged_params`,
        `dead_gradients` and `head_trainable`.

    Example:
        loss_drop: 0.5

    What the number means:
        1 - last loss / first loss, over `train.steps` steps. Healthy LoRA setups on random images reach 0.9 and more in
        20 steps; normalized photographs take about 50. `train.stop_at_drop` ends the training once this number has
        reached it: a limit above it would ask for what nobody waited for.
    """
    losses = training.positive_losses()
    return Observed(drop(losses), {"first": losses[0], "last": losses[-1], **training.extent})

"""`max_final_loss`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.facts import Training
from retspec.plugin import Observed, check


@check(
    direction="at most",
    advice="Train for more `train.steps`, raise `train.lr`, or check that the labels fit the images.",
)
def max_final_loss(training: Training) -> Observed[Annotated[float, Meta(extra={"rare": 10**6})]]:
    """How low is the loss at the end?

    Why it matters:
        `loss_drop` says how far the loss fell; this says how low it got.

    Example:
        max_final_loss: 0.5

    What the number means:
        The loss of the last step that was taken, before its update.
    """
    losses = training.finite_losses(1)
    return Observed(losses[-1], {"first": losses[0], **training.extent})

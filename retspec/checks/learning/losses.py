"""`loss_drop`, `max_loss_rise`, `max_final_loss` and `initial_loss_rtol`: what the loss curve says."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from msgspec import Meta

from retspec.facts import Training
from retspec.facts.training import drop
from retspec.plugin import Inconclusive, Observed, check

SMALLEST_LOSS = 1e-8
"""A loss below this counts as this when a rise is held against it: single precision gives exact zeros."""


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
    losses = _positive(training)
    return Observed(drop(losses), {"first": losses[0], "last": losses[-1], **training.extent})


@check(
    direction="at most",
    advice="Lower `train.lr`, or warm it up; the details name the step.",
)
def max_loss_rise(
    training: Training,
    *,
    relative_to: Annotated[
        Literal["first", "previous"],
        Meta(description="What a rise is a fraction of; `previous` explodes near zero."),
    ] = "first",
) -> Observed[float]:
    """How far does the loss rise from one step to the next?

    Why it matters:
        A learning rate at the edge of stability shows as jumps long before the loss diverges.

    Example:
        max_loss_rise: 0.1

    What the number means:
        The largest rise between two steps as a fraction of the first loss, 0 when the loss never rises. Against the
        previous loss the same jump looks a hundred times larger once the loss nears zero.
    """
    losses = _positive(training)
    references = losses if relative_to == "previous" else losses[:1] * len(losses)
    rises = [
        (after - before) / max(reference, SMALLEST_LOSS)
        for (before, after), reference in zip(pairwise(losses), references, strict=False)
    ]
    worst = max(rises)
    where = {"at step": rises.index(worst) + 2} if worst > 0 else {}
    return Observed(max(worst, 0.0), {**where, **training.extent, "losses": list(losses)})


@check(
    direction="at most",
    advice="Train for more `train.steps`, raise `train.lr`, or check that the labels fit the images.",
)
def max_final_loss(training: Training) -> Observed[float]:
    """Where does the loss end?

    Why it matters:
        A drop says how far the loss fell, this says whether it arrived.

    Example:
        max_final_loss: 0.5

    What the number means:
        The loss of the last step that was taken, before its update.
    """
    losses = training.finite_losses(1)
    return Observed(losses[-1], {"first": losses[0], **training.extent})


@check(
    direction="at most",
    advice="Give the head a small initialization (a standard deviation of 0.02, say), check the number of classes, "
    "and that the logits are not scaled before the loss.",
)
def initial_loss_rtol(training: Training) -> Observed[float]:
    """Does a fresh head start at chance?

    Why it matters:
        With C classes an untrained classifier has a cross-entropy of ln C. Another value means a wrong number of
        classes, logits that are far too large, or a loss that is not what it is taken for.

    Example:
        initial_loss_rtol: 0.2

    What the number means:
        |first loss - ln C| / ln C. Fresh timm models stay below 0.11.
    """
    losses = training.finite_losses(1)
    chance = training.chance_loss
    if not chance:
        raise Inconclusive("this loss has no known chance level; only cross_entropy and bce_with_logits have one")
    return Observed(abs(losses[0] - chance) / chance, {"first": losses[0], "at chance": chance})


def _positive(training: Training) -> tuple[float, ...]:
    """Return the losses of which a change is a fraction: a loss that goes below zero may have the wrong sign."""
    losses = training.finite_losses(2)
    if min(losses) < 0 or losses[0] == 0:
        raise Inconclusive(
            f"the loss goes from {losses[0]:.3g} to {losses[-1]:.3g}: only of a positive one is a change a fraction"
        )
    return losses

"""`max_loss_rise`."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from msgspec import Meta

from retspec.facts import Training
from retspec.plugin import Observed, Relative, check

SMALLEST_LOSS = 1e-8
"""A loss below this counts as this when a rise is held against it: single precision gives exact zeros."""


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
) -> Observed[Relative]:
    """How far does the loss rise from one step to the next?

    Why it matters:
        A learning rate at the edge of stability (https://arxiv.org/abs/2103.00065) shows as jumps long before the loss
        diverges.

    Example:
        max_loss_rise: 0.1

    What the number means:
        The largest rise between two steps as a fraction of the first loss; 0 when the loss never rises. As a fraction
        of the previous loss, the same jump looks a hundred times larger once the loss is near zero.
    """
    losses = training.positive_losses()
    references = losses if relative_to == "previous" else losses[:1] * len(losses)
    rises = [
        (after - before) / max(reference, SMALLEST_LOSS)
        for (before, after), reference in zip(pairwise(losses), references, strict=False)
    ]
    worst = max(rises)
    where = {"at step": rises.index(worst) + 2} if worst > 0 else {}
    return Observed(max(worst, 0.0), {**where, **training.extent, "losses": list(losses)})

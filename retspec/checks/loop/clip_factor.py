"""`clip_factor`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.loop._reading import require_norms
from retspec.facts import Loop
from retspec.plugin import Inconclusive, Observed, check


@check(
    direction="at least",
    default_limit=1e-3,
    advice="Call `scaler.unscale_(optimizer)` before clipping. Without a loss scaler, look at the clipping threshold "
    "and at `max_grad_norm`: the gradients are that much larger than it.",
)
def clip_factor(loop: Loop) -> Observed[Annotated[float, Meta(ge=0)]]:
    """How much of the gradient is left when the optimizer applies it?

    Why it matters:
        Gradients under a loss scaler are large by its scale, often 65536. Clipped to norm 1 before they are unscaled,
        next to nothing of them is left (https://github.com/milesial/Pytorch-UNet/issues/468); the order is in
        https://docs.pytorch.org/docs/stable/notes/amp_examples.html#gradient-clipping.

    Example:
        clip_factor: 1e-3

    What the number means:
        The smallest ratio, over the steps of the largest optimizer, of the norm of its gradients at the step to that
        after the last backward pass, without the loss scale. 1 means that nothing was clipped, 0.2 that a norm of 5
        was clipped to 1. No verdict when a norm is not known, not finite or zero. A scaler for CUDA switches itself off
        on a CPU: the details say whether one was at work.
    """
    steps = loop.fed_steps
    before = require_norms(steps, (step.norm_after_backward for step in steps))
    after = require_norms(steps, (step.norm for step in steps))
    if 0 in before:
        raise Inconclusive(
            f"the gradients are zero after the last backward pass in {before.count(0)} of {len(steps)} steps, which "
            "leaves nothing to clip; see `dead_gradients`"
        )
    ratios = [norm / whole for norm, whole in zip(after, before, strict=True)]
    place = ratios.index(min(ratios))
    details = {
        "norm after backward": before[place],
        "norm at the step": after[place],
        "loss scaler at work": loop.scaler,
    }
    return Observed(ratios[place], {**details, **loop.extent})

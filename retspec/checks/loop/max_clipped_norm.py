"""`max_clipped_norm`."""

from __future__ import annotations

from retspec.checks.loop._reading import require_norms
from retspec.facts import Loop
from retspec.plugin import Amount, Observed, check


@check(
    direction="at most",
    default_limit=1.01,
    advice="Call `clip_grad_norm_` after the last backward pass and right before `optimizer.step()`, on all parameters "
    "that the optimizer has. If nothing is to be clipped, leave this check out.",
)
def max_clipped_norm(loop: Loop) -> Observed[Amount]:
    """How large is the gradient that the optimizer applies?

    Why it matters:
        A clipping that is called too early, for other parameters or not at all says nothing, and costs nothing until
        a batch comes whose gradient is a hundred times as large
        (https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html). `clip_factor` tells
        whether it leaves enough.

    Example:
        max_clipped_norm: 1.01

    What the number means:
        The largest Euclidean norm, over the steps of the largest optimizer, of all its gradients together as it
        applies them, without the loss scale. Write the norm that the training clips to, and some room for rounding.
        Groups that are clipped one by one have together the root of the sum of their squares. No verdict when a norm
        is not known or not finite.
    """
    steps = loop.fed_steps
    norms = require_norms(steps, (step.norm for step in steps))
    largest = max(norms)
    before = steps[norms.index(largest)].norm_after_backward
    return Observed(largest, {"norm after backward": before, **loop.extent})

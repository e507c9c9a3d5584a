"""`backwards_without_step`."""

from __future__ import annotations

from retspec.facts import Loop
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="backward passes",
    default_limit=0,
    advice="Zero the gradients once per optimizer step, not once per micro-batch: `optimizer.zero_grad()` belongs "
    "beside `optimizer.step()`. Where the gradients are read and zeroed on purpose, leave the check out.",
)
def backwards_without_step(loop: Loop) -> Observed[Count]:
    """Does an optimizer step use what each backward pass computed?

    Why it matters:
        With `zero_grad` inside the loop over micro-batches, a step learns from the last of them alone, and the others
        are computed for nothing: an accumulation of 8 has the batch of 1. The loss falls all the same
        (https://huggingface.co/docs/accelerate/usage_guides/gradient_accumulation).

    Example:
        backwards_without_step: 0

    What the number means:
        Backward passes whose gradients were zeroed before a step of any optimizer. Not counted are gradients that are
        not finite, with which a loss scaler skips its step; those that moved the weights without a step, as in
        sharpness-aware minimization; and those of the last backward passes, which nothing zeroed.

        An attack on the inputs that calls `backward`, and a rest of an epoch that is thrown away, count.
    """
    return Observed(loop.backwards_without_step, {"backward passes": loop.backwards, **loop.extent})

"""`steps_without_backward`."""

from __future__ import annotations

from retspec.checks.loop._reading import kind_of
from retspec.facts import Loop
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="steps",
    default_limit=0,
    advice="Call `optimizer.step()` once per backward pass, or `scaler.step(optimizer)`, not both; and zero the "
    "gradients after the step or before the backward pass, not between the two.",
)
def steps_without_backward(loop: Loop) -> Observed[Count]:
    """Does every optimizer step have a gradient of its own?

    Why it matters:
        A second step on the same gradient doubles the rate, and under a loss scaler goes past its check for overflow
        (https://github.com/IAHispano/Applio/pull/860). A step after `zero_grad` applies momentum and weight decay and
        learns nothing.

    Example:
        steps_without_backward: 0

    What the number means:
        Steps of any optimizer before which no gradient of its parameters had changed since its last step, or all had
        been zeroed again.
    """
    steps = loop.extent
    unfed = [(place, step) for place, step in enumerate(loop.steps, 1) if not step.fed]
    details = {"optimizer": kind_of(loop, unfed[0][1]), "the first": f"step {unfed[0][0]}"} if unfed else {}
    return Observed(len(unfed), {**details, "steps of all optimizers": len(loop.steps), **steps})

"""`stale_gradients`."""

from __future__ import annotations

from retspec.checks.loop._reading import kind_of, several
from retspec.facts import Loop
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="parameters",
    default_limit=0,
    advice="Call `optimizer.zero_grad()` once per step, after the step or before the first backward pass of the next.",
)
def stale_gradients(loop: Loop) -> Observed[Count]:
    """Does each step start from zeroed gradients?

    Why it matters:
        backward adds to the gradients that are there
        (https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.zero_grad.html). Without zeroing, each
        step repeats all earlier ones: the loss falls at first and then swings or diverges.

    Example:
        stale_gradients: 0

    What the number means:
        The most parameters, in any step, whose gradient still held that of the step before when a backward pass added
        to it. Each optimizer is judged by its own steps: what the loss of a generator leaves in its critic is not stale
        if the critic's gradients are zeroed before its own.
    """
    several(loop, loop.fed_steps)
    worst = max(loop.steps, key=lambda step: step.stale)
    affected = sum(step.stale > 0 for step in loop.steps)
    details = {"optimizer": kind_of(loop, worst), "steps with some": affected} if affected else {}
    return Observed(worst.stale, {**details, **loop.extent})

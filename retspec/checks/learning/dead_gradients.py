"""`dead_gradients`."""

from __future__ import annotations

from retspec.checks.learning._reading import LEAST_PASSES
from retspec.facts import Training
from retspec.plugin import Count, Inconclusive, Observed, check


@check(
    direction="at most",
    unit="parameters",
    default_limit=0,
    advice="Find what cuts the parameters in the details off from the loss: a detach, no_grad around a part, a merged"
    " adapter, a module that the forward pass does not use.",
)
def dead_gradients(training: Training) -> Observed[Count]:
    """Does every trainable parameter receive a gradient?

    Why it matters:
        A part that never receives a gradient never learns, while the rest learns enough for the loss to fall.

    Example:
        dead_gradients: 0

    What the number means:
        Trainable parameters whose gradient is missing or exactly zero in every step. One step proves nothing: in the
        first, the gradient of A in a fresh LoRA (https://arxiv.org/abs/2106.09685) adapter is exactly zero, because B
        is. There is no threshold above zero, since a head with small weights makes small gradients.
    """
    gradients = training.gradients_over(LEAST_PASSES)
    dead = [gradient.name for gradient in gradients if gradient.is_dead]
    if 0 < len(dead) < len(gradients) and not any(gradient.moved for gradient in gradients):
        raise Inconclusive(
            "no parameter moved, so a factor that starts at zero hides its partner; see `unchanged_params`"
        )
    return Observed(len(dead), {"dead": dead, "trainable": len(training.gradients)})

"""`max_grad_norm` and `min_grad_norm`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.learning._reading import LEAST_PASSES
from retspec.facts import GradientHistory, Training
from retspec.plugin import Amount, Inconclusive, Observed, check


@check(
    direction="at most",
    advice="Clip gradients, or lower the loss scale or the initialization of the layer that the details name.",
)
def max_grad_norm(training: Training) -> Observed[Amount]:
    """How large is the largest gradient of a parameter?

    Why it matters:
        One exploding layer dominates the global norm; clipping by the global norm (https://arxiv.org/abs/1211.5063)
        then stalls all other layers.

    Example:
        max_grad_norm: 100

    What the number means:
        The largest Euclidean norm of one parameter's gradient in one step, before the optimizer.
    """
    worst = max(_finite(training.gradients_over(1)), key=_peak)
    return Observed(_peak(worst), {"parameter": worst.name})


@check(
    direction="at least",
    advice="Look at what is between the parameter in the details and the loss: a saturated activation, a scale near "
    "zero, an initialization that is far too small. Compare with a setup that works before you set this limit.",
)
def min_grad_norm(training: Training) -> Observed[Annotated[float, Meta(ge=0)]]:
    """How small is the smallest gradient of a parameter?

    Why it matters:
        A layer whose gradient is a millionth of the others' learns nothing within the run.

    Example:
        min_grad_norm: 1e-6

    What the number means:
        For each trainable parameter the largest Euclidean norm over the steps (the gradient of A in a fresh LoRA
        (https://arxiv.org/abs/2106.09685) adapter is zero in the first), and of these the smallest. It scales with the
        loss and with the head's initialization, so no limit suits every model.
    """
    least = min(_finite(training.gradients_over(LEAST_PASSES)), key=_peak)
    return Observed(_peak(least), {"parameter": least.name})


def _finite(gradients: tuple[GradientHistory, ...]) -> tuple[GradientHistory, ...]:
    """Return the gradients if each was finite in every step: the norm of another is no number to compare."""
    bad = [gradient.name for gradient in gradients if gradient.nonfinite_steps]
    if bad:
        raise Inconclusive(f"the gradient of {bad[0]} is not finite in some step; see `nonfinite_gradients`")
    return gradients


def _peak(gradient: GradientHistory) -> float:
    return max((norm for norm in gradient.norms if norm is not None), default=0.0)

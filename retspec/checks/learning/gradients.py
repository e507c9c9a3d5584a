"""Checks of the gradients: what reaches the trainable parameters, and how much of it."""

from __future__ import annotations

from retspec.facts import GradientHistory, Training
from retspec.plugin import Inconclusive, Observed, check

# A factor that starts at zero (B of LoRA, a zeroed head) hides the gradient of its partner; two updates uncover it.
LEAST_PASSES = 3


@check(
    direction="at most",
    unit="parameters",
    default_limit=0,
    advice="Find what cuts the parameters in the details off from the loss: a detach, no_grad around a part, an "
    "adapter that was merged, a module that the forward pass does not use.",
)
def dead_gradients(training: Training) -> Observed[int]:
    """Does every trainable parameter receive a gradient?

    Why it matters:
        A part that never receives a gradient never learns, and the rest learns enough for the loss to fall all the
        same.

    Example:
        dead_gradients: 0

    What the number means:
        Trainable parameters whose gradient is missing or exactly zero in every step. One step proves nothing: the
        gradient of a fresh LoRA's A is exactly zero in the first, because B is. There is no floor above zero, since a
        small head makes small gradients.
    """
    gradients = training.gradients_over(LEAST_PASSES)
    dead = [gradient.name for gradient in gradients if gradient.is_dead]
    if 0 < len(dead) < len(gradients) and not any(gradient.moved for gradient in gradients):
        raise Inconclusive(
            "no parameter moved, so a factor that starts at zero hides its partner; see `unchanged_params`"
        )
    return Observed(len(dead), {"dead": dead, "trainable": len(training.gradients)})


@check(
    direction="at most",
    unit="parameters",
    default_limit=0,
    advice="Lower `train.lr` or clip gradients; in float16 use a GradScaler; look for a division by zero or a square "
    "root at zero above the parameters in the details.",
)
def nonfinite_gradients(training: Training) -> Observed[int]:
    """Are all gradients finite?

    Why it matters:
        A finite loss can have a gradient that is not: the next update ruins the weights.

    Example:
        nonfinite_gradients: 0

    What the number means:
        Trainable parameters whose gradient held NaN or infinity in some step; the details name the operation in the
        backward pass that made it, and the line that called it. Steps that the loss scaler of float16 skips do not
        count: see `amp_skipped_steps`.
    """
    bad = [gradient.name for gradient in training.gradients_over(1) if gradient.nonfinite_steps]
    blame = {"operation": training.nonfinite_backward or "unknown"} if bad else {}
    return Observed(len(bad), {**blame, "not finite": bad})


@check(
    direction="at most",
    advice="Clip gradients, lower the loss scale or the initialization of the layer that the details name.",
)
def max_grad_norm(training: Training) -> Observed[float]:
    """How large is the largest gradient of a parameter?

    Why it matters:
        One exploding layer dominates the global norm; clipping by it then stalls all the others.

    Example:
        max_grad_norm: 100

    What the number means:
        The largest Euclidean norm of one parameter's gradient in one step, before the optimizer.
    """
    worst = max(_finite(training.gradients_over(1)), key=_peak)
    return Observed(_peak(worst), {"parameter": worst.name})


@check(
    direction="at least",
    advice="Look at what lies between the parameter in the details and the loss: a saturated activation, a scale near "
    "zero, an initialization that is far too small. Compare with a setup that works before setting this limit.",
)
def min_grad_norm(training: Training) -> Observed[float]:
    """How small is the smallest gradient of a parameter?

    Why it matters:
        A layer whose gradient is a millionth of the others' learns nothing in the time that the run has.

    Example:
        min_grad_norm: 1e-6

    What the number means:
        Of each trainable parameter the largest Euclidean norm over the steps (the gradient of a fresh LoRA's A is zero
        in the first), and of these the smallest. It scales with the loss and with the head's initialization, so that it
        has no universal limit.
    """
    least = min(_finite(training.gradients_over(LEAST_PASSES)), key=_peak)
    return Observed(_peak(least), {"parameter": least.name})


def _finite(gradients: tuple[GradientHistory, ...]) -> tuple[GradientHistory, ...]:
    """Return the gradients if each was finite in every step: the norm of another is no number to compare."""
    bad = [gradient.name for gradient in gradients if gradient.nonfinite_steps]
    if bad:
        raise Inconclusive(f"the gradient of {bad[0]} is not finite in some step; `nonfinite_gradients` tells more")
    return gradients


def _peak(gradient: GradientHistory) -> float:
    return max((norm for norm in gradient.norms if norm is not None), default=0.0)

"""`nonfinite_gradients`."""

from __future__ import annotations

from retspec.facts import Training
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="parameters",
    default_limit=0,
    advice="Lower `train.lr` or clip gradients; in float16 use a GradScaler; look for a division by zero or a square "
    "root at zero above the parameters in the details.",
)
def nonfinite_gradients(training: Training) -> Observed[Count]:
    """Are all gradients finite?

    Why it matters:
        A finite loss can have an infinite or NaN gradient: the next update ruins the weights.

    Example:
        nonfinite_gradients: 0

    What the number means:
        Trainable parameters whose gradient held NaN or infinity in some step. The details name the operation in the
        backward pass that made it, and the line that called it. Steps that the float16 loss scaler skips do not count:
        see `amp_skipped_steps`.
    """
    bad = [gradient.name for gradient in training.gradients_over(1) if gradient.nonfinite_steps]
    blame = {"operation": training.nonfinite_backward or "unknown"} if bad else {}
    return Observed(len(bad), {**blame, "not finite": bad})

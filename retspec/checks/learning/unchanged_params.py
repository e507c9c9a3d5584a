"""`unchanged_params`."""

from __future__ import annotations

from retspec.facts import Training
from retspec.plugin import Observed, check


@check(
    direction="at most",
    unit="parameters",
    default_limit=0,
    advice="Check that the learning rate is not zero, that the optimizer was built after wrapping the model, and that "
    "it holds the parameters in the details; in bfloat16 an update may round to nothing.",
)
def unchanged_params(training: Training) -> Observed[int]:
    """Does every trainable parameter move?

    Why it matters:
        A gradient is not yet an update: the optimizer may hold other parameters, or the step may be too small for the
        weight's precision.

    Example:
        unchanged_params: 0

    What the number means:
        Trainable parameters that no gradient moved. Movement by weight decay alone does not count: AdamW decays a
        weight even where its gradient is zero (https://arxiv.org/abs/1711.05101).
    """
    training.finite_losses(1)
    still = [gradient.name for gradient in training.gradients if not gradient.moved]
    return Observed(len(still), {"unchanged": still, "trainable": len(training.gradients)})

"""`frozen_drift` and `unchanged_params`: what moved, and what must not."""

from __future__ import annotations

from retspec.facts import Training
from retspec.plugin import Observed, check


@check(
    direction="at most",
    unit="tensors",
    default_limit=0,
    advice="Put frozen normalization layers into eval mode while training (a frozen BatchNorm still updates its "
    "running statistics), and look for code that writes to frozen weights.",
)
def frozen_drift(training: Training) -> Observed[int]:
    """Does everything frozen stay as it was?

    Why it matters:
        An adapter is shipped without its base. Whatever training changes in the base is lost, and the shipped model is
        another one than the trained one.

    Example:
        frozen_drift: 0

    What the number means:
        Frozen parameters that training changed, bit by bit, and buffers of modules whose own parameters are all frozen.
        The running statistics of a BatchNorm move although nothing there requires a gradient.
    """
    return Observed(len(training.drifted), {"drifted": list(training.drifted)})


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
        Trainable parameters that no gradient moved. Weight decay alone is no movement.
    """
    training.finite_losses(1)
    still = [gradient.name for gradient in training.gradients if not gradient.moved]
    return Observed(len(still), {"unchanged": still, "trainable": len(training.gradients)})

"""`frozen_drift`."""

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

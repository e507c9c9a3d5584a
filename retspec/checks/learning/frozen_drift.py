"""`frozen_drift`."""

from __future__ import annotations

from retspec.facts import Training
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="tensors",
    default_limit=0,
    advice="Put frozen normalization layers into eval mode while training (a frozen BatchNorm still updates its "
    "running statistics), and look for code that writes to frozen weights.",
)
def frozen_drift(training: Training) -> Observed[Count]:
    """Does everything frozen stay unchanged?

    Why it matters:
        An adapter is shipped without its base. Any change to the base in training is lost, and the shipped model is not
        the one that was trained.

    Example:
        frozen_drift: 0

    What the number means:
        Frozen parameters that training changed, bit by bit, and buffers of modules whose own parameters are all frozen.
        The running statistics of a BatchNorm change in train mode without any gradient
        (https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html).
    """
    return Observed(len(training.drifted), {"drifted": list(training.drifted)})

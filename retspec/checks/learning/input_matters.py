"""`input_matters`."""

from __future__ import annotations

from retspec.facts import Training
from retspec.plugin import Inconclusive, Observed, check


@check(
    direction="at least",
    advice="Look at what the transforms do to an image just before the model: a scale of zero, a mask over everything, "
    "a normalization with the wrong constants; and at layers that drop their input.",
)
def input_matters(training: Training, blank_training: Training) -> Observed[float]:
    """Does the model learn from its inputs, or from the labels alone?

    Why it matters:
        A pipeline that destroys its input still lets the loss fall a little: the frequencies of the classes can be
        learnt without looking.

    Example:
        input_matters: 0.2

    What the number means:
        How much farther the loss falls on the real batch than on the same labels with the inputs zeroed, as a fraction
        of the first loss. Healthy models reach 0.5 and more on a balanced batch.
    """
    real, blank = training.finite_losses(2), blank_training.finite_losses(2)
    if min(real[0], blank[0]) <= 0:
        raise Inconclusive("the loss is not positive, so a drop is no fraction of it")
    drop, blank_drop = 1 - real[-1] / real[0], 1 - blank[-1] / blank[0]
    return Observed(drop - blank_drop, {"drop": drop, "drop with inputs zeroed": blank_drop})

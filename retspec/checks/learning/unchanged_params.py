"""`unchanged_params`."""

from __future__ import annotations

from retspec.facts import Training
from retspec.plugin import Count, Inconclusive, Observed, check


@check(
    direction="at most",
    unit="parameters",
    default_limit=0,
    advice="Check that the learning rate is not zero, that the optimizer was built after wrapping the model, and that "
    "it holds the parameters in the details; in bfloat16 an update may round to nothing.",
)
def unchanged_params(training: Training) -> Observed[Count]:
    """Does every trainable parameter move?

    Why it matters:
        A gradient is not yet an update: the optimizer may hold other parameters, or the step may be too small for the
        weight's precision.

    Example:
        unchanged_params: 0

    What the number means:
        Trainable parameters that no gradient moved. Movement by weight decay alone does not count: AdamW decays a
        weight even where its gradient is zero (https://arxiv.org/abs/1711.05101).
        One whose rate is still rising, as in a warm-up, and too low so far to move a value of its size in its precision
        (rate ≤ machine epsilon x largest magnitude; for SGD, rate x gradient), is not judged, and named in the details.
        No verdict where that is so of all.
    """
    training.finite_losses(1)
    gradients = training.gradients
    still = [gradient.name for gradient in gradients if not gradient.moved and not gradient.out_of_reach]
    unjudged = [gradient.name for gradient in gradients if gradient.out_of_reach]
    if unjudged and len(unjudged) == len(gradients):
        raise Inconclusive(
            "the learning rate is still rising, and too low so far to move any parameter in its precision; raise "
            "`train.steps`"
        )
    details = {"not judged, the rate is still too low to move it": unjudged} if unjudged else {}
    return Observed(len(still), {"unchanged": still, "trainable": len(gradients), **details})

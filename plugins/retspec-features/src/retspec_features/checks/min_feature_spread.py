"""`min_feature_spread`."""

from __future__ import annotations

from retspec.plugin import Observed, check

from retspec_features.checks._reading import Share, origin
from retspec_features.facts import Features


@check(
    direction="at least",
    unit="of the features' norm",
    advice="Compare the input normalization with what the backbone was trained with, and look for a layer that "
    "swallows its input: a weight of zeros, a saturated activation, a huge bias.",
)
def min_feature_spread(features: Features) -> Observed[Share]:
    """How much do the features of different images differ?

    Why it matters:
        A backbone that answers nearly the same to every image leaves its head to learn from differences close to
        rounding. The loss still falls on a fixed batch, but nothing generalizes.

    Example:
        min_feature_spread: 0.05

    What the number means:
        Norm of the features without their mean over the images, as a fraction of the whole norm: 0 when every image
        has the same features, 1 when they cancel out on average.
    """
    return Observed(features.spread, origin(features))

"""`min_feature_rank`, `min_feature_spread` and `dead_features`: what the head has to work with."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta
from retspec.plugin import Observed, check

from retspec_features.facts import Features

Share = Annotated[float, Meta(ge=0, le=1)]


@check(
    direction="at least",
    unit="of the largest possible rank",
    advice="Look for a narrow layer before the head and for a checkpoint that filled only part of the backbone, and "
    "take a batch of images that differ: `data: {gratings: {}}`.",
)
def min_feature_rank(features: Features) -> Observed[Share]:
    """In how many directions do the features of different images differ?

    Why it matters:
        Features that all lie on a line or a plane cannot be told apart along more than one or two boundaries, however
        long the head trains. Dimensional collapse is a known failure of self-supervised pre-training, and what is left
        when most of a checkpoint does not load.

    Example:
        min_feature_rank: 0.3

    What the number means:
        Effective rank of the features without their mean, exp(entropy) of the singular values' shares, divided by the
        largest rank that so many images can have: 1 when they differ equally in all directions, 0 when they do not
        differ.
    """
    rank, largest = features.effective_rank, features.largest_rank
    return Observed(rank / largest, {"effective rank": rank, "largest possible": largest, **_where(features)})


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
        rounding. The loss still falls on a fixed batch, and generalizes to nothing.

    Example:
        min_feature_spread: 0.05

    What the number means:
        Norm of the features without their mean over the images, as a fraction of the whole norm: 0 when every image
        has the same features, 1 when they cancel out on average.
    """
    return Observed(features.spread, _where(features))


@check(
    direction="at most",
    unit="of the features",
    advice="Take more images first: a feature may be silent for a few. If it stays silent, look for a ReLU that never "
    "opens, channels that were pruned or zeroed, and a checkpoint with zeros in it.",
)
def dead_features(features: Features) -> Observed[Share]:
    """Which share of the features never changes?

    Why it matters:
        A dead feature is a width that is paid for and not there. Many of them mean that a backbone was initialized or
        loaded wrongly, or was trained with a learning rate that closed its activations for good.

    Example:
        dead_features: 0.1

    What the number means:
        Features that are the same for every image of the batch, up to rounding, divided by all features.
    """
    return Observed(features.dead / features.width, {"dead": features.dead, **_where(features)})


def _where(features: Features) -> dict[str, object]:
    return {"images": features.images, "features": features.width, "before": features.head}

"""`min_feature_rank`."""

from __future__ import annotations

from retspec.plugin import Observed, check

from retspec_features.checks._reading import Share, origin
from retspec_features.facts import Features


@check(
    direction="at least",
    unit="of the largest possible rank",
    advice="Look for a narrow layer before the head and for a checkpoint that filled only part of the backbone, and "
    "use a batch of images that differ: `data: {gratings: {}}`.",
)
def min_feature_rank(features: Features) -> Observed[Share]:
    """In how many directions do the features of different images differ?

    Why it matters:
        Features that all lie on a line or a plane can be separated along one or two boundaries only, however long the
        head trains. Dimensional collapse is a known failure of self-supervised pre-training
        (https://arxiv.org/abs/2110.09348), and also what remains when most of a checkpoint does not load.

    Example:
        min_feature_rank: 0.3

    What the number means:
        Effective rank of the features without their mean (Roy and Vetterli, The effective rank, EUSIPCO 2007):
        exp(entropy) of the singular values' shares, divided by the largest rank that so many images can have. 1 when
        they differ equally in all directions, 0 when they do not differ.
    """
    rank, largest = features.effective_rank, features.largest_rank
    return Observed(rank / largest, {"effective rank": rank, "largest possible": largest, **origin(features)})

"""`dead_features`."""

from __future__ import annotations

from retspec.plugin import Observed, check

from retspec_features.checks._reading import Share, origin
from retspec_features.facts import Features


@check(
    direction="at most",
    unit="of the features",
    advice="Use more images first: a feature may be silent for a few. If it stays silent, look for a ReLU that never "
    "opens, channels that were pruned or zeroed, and a checkpoint with zeros in it.",
)
def dead_features(features: Features) -> Observed[Share]:
    """What share of the features never changes?

    Why it matters:
        A dead feature is width that you pay for and cannot use. Many of them mean that the backbone was initialized
        (https://arxiv.org/abs/1903.06733) or loaded wrongly, or that a high learning rate killed its activations.

    Example:
        dead_features: 0.1

    What the number means:
        Features that are the same for every image of the batch, up to rounding, divided by all features.
    """
    return Observed(features.dead / features.width, {"dead": features.dead, **origin(features)})

"""`batch_leak`."""

from __future__ import annotations

from retspec.facts import Isolation
from retspec.plugin import Amount, Observed, check


@check(
    direction="at most",
    default_limit=0.0,
    advice="Look for a `view` or `reshape` that mixes the batch with another dimension, for a softmax or a norm over "
    "the batch dimension, and for a mean that runs over it.",
)
def batch_leak(isolation: Isolation) -> Observed[Amount]:
    """Does an image's output depend on another image?

    Why it matters:
        A model that mixes images trains without an error, and its loss falls: it learns from the other images in the
        batch.

    Example:
        batch_leak: 0

    What the number means:
        Largest absolute gradient of the first image's output with respect to another image, in train mode. Exactly zero
        when there is no path; the test is "use backprop to chart dependencies" of Karpathy, A Recipe for Training
        Neural Networks (https://karpathy.github.io/2019/04/25/recipe/). Batch normalization mixes images by design
        (https://arxiv.org/abs/1502.03167), so it is held in eval mode for this.
    """
    return Observed(isolation.leak, {"batch normalization held in eval mode": isolation.batch_normalized})

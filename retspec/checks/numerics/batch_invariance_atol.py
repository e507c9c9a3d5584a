"""`batch_invariance_atol`."""

from __future__ import annotations

from retspec.checks.numerics._reading import Atol
from retspec.facts import Isolation
from retspec.plugin import Observed, check


@check(
    direction="at most",
    advice="Look for statistics over the batch in eval mode, and for a `view` or `reshape` that mixes the batch with "
    "another dimension where `transpose` was meant.",
)
def batch_invariance_atol(isolation: Isolation) -> Observed[Atol]:
    """Does an image get the same answer alone and inside a batch?

    Why it matters:
        Otherwise the answer for an image depends on the images that happen to be in its batch.

    Example:
        batch_invariance_atol: 1e-5

    What the number means:
        Largest absolute difference of an output in eval mode, an image alone against the same inside the batch. Healthy
        in single precision: about 1e-7, since matrix products of other sizes round differently
        (https://docs.pytorch.org/docs/stable/notes/numerical_accuracy.html).
    """
    return Observed(isolation.difference)

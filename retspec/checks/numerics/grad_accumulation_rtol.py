"""`grad_accumulation_rtol`."""

from __future__ import annotations

from retspec.checks.numerics._reading import Rtol, gradient_details
from retspec.facts import GradientAgreement
from retspec.plugin import Observed, check


@check(
    direction="at most",
    advice="Divide the loss of each micro-batch by the number of micro-batches, weighted by its size when the last one "
    "is smaller; a factor in the details names a forgotten division. A BatchNorm in train mode cannot agree.",
)
def grad_accumulation_rtol(accumulation: GradientAgreement) -> Observed[Rtol]:
    """Do accumulated gradients equal those of the whole batch?

    Why it matters:
        A forgotten 1/k multiplies the learning rate by k. After an AdamW step it hardly shows, since AdamW divides by
        the gradient's own size: only the gradients tell.

    Example:
        grad_accumulation_rtol: 1e-4

    What the number means:
        Relative L2 norm of the difference, of the parameter that deviates most; the micro-batches are of unequal size
        when the batch does not divide by them. Healthy in single precision: below 2e-6.
    """
    return Observed(accumulation.worst.relative, gradient_details(accumulation))

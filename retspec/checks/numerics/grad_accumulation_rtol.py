"""`grad_accumulation_rtol`."""

from __future__ import annotations

from retspec.checks.numerics._reading import gradient_details
from retspec.facts import GradientAgreement
from retspec.plugin import Observed, Relative, check


@check(
    direction="at most",
    advice="Divide the loss of each micro-batch by the number of micro-batches, weighted by its size when the last "
    "one is smaller; a factor in the details means a forgotten division.",
)
def grad_accumulation_rtol(accumulation: GradientAgreement) -> Observed[Relative]:
    """Do accumulated gradients equal those of the whole batch?

    Why it matters:
        Without the factor 1/k the gradient is k times too large. It hardly shows after an AdamW step, which divides by
        the gradient's own size: only the gradients reveal it.

    Example:
        grad_accumulation_rtol: 1e-4

    What the number means:
        Relative L2 norm of the difference, of the parameter that deviates most. The micro-batches are of unequal size
        when the batch does not divide by them: each then counts by its size
        (https://huggingface.co/blog/gradient_accumulation). Healthy in single precision: below 4e-6.

        Where the spec trains an adapter anyway, the gradient of the whole batch is that of the training's third step.
        If the accumulated one is further from it than 1e-5, both are computed at the weights of the start.

        A gradient whose true value is zero, such as that of a key's bias or of a bias in front of a normalization, is
        rounding and agrees with nothing. So a difference is relative to no less than a hundredth of the norm of all
        gradients together, or the machine epsilon of the coarsest dtype if that is more; the details name them.

        No verdict for a BatchNorm in train mode, whose statistics are those of each micro-batch, and where two equal
        passes disagree already: the cause is a random number or a state then, and not the accumulation. Dropout and
        stochastic depth are off.
    """
    return Observed(accumulation.worst.relative, gradient_details(accumulation))

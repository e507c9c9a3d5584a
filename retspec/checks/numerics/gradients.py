"""`grad_accumulation_rtol` and `amp_rtol`: do two ways to the gradient agree?"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.facts import GradientAgreement
from retspec.plugin import Observed, check

Rtol = Annotated[float, Meta(ge=0)]
NAMED_FACTOR = 0.01
"""Deviation of the factor from 1 above which it is worth naming."""


def _details(agreement: GradientAgreement) -> dict[str, object]:
    details: dict[str, object] = {
        "worst": f"{agreement.worst.name} ({agreement.worst.relative:.2e})",
        "loss": agreement.loss,
    }
    if abs(agreement.factor - 1) > NAMED_FACTOR:
        details["all gradients are larger by the factor"] = agreement.factor
    return details


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
    return Observed(accumulation.worst.relative, _details(accumulation))


@check(
    direction="at most",
    advice="Keep the layers in the details in float32 (normalizations, softmax, the loss), or take bfloat16 "
    "for float16.",
)
def amp_rtol(precision: GradientAgreement) -> Observed[Rtol]:
    """Do loss and gradients survive mixed precision?

    Why it matters:
        Autocast rounds every matrix product. Rounding noise averages out; an operation that needs the range or the
        digits of float32 does not.

    Example:
        amp_rtol: 5e-2

    What the number means:
        The larger of the relative difference of the loss, and the relative L2 norm of the difference of the gradient
        of the parameter that deviates most, autocast against full precision. Healthy: 2e-2 in bfloat16, 4e-3 in
        float16.
    """
    return Observed(max(precision.loss, precision.worst.relative), _details(precision))

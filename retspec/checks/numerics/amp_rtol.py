"""`amp_rtol`."""

from __future__ import annotations

from retspec.checks.numerics._reading import gradient_details
from retspec.facts import GradientAgreement
from retspec.plugin import Observed, Relative, check

EXPLAINED = 0.25
"""Share of a deviation above which rounded weights explain it; healthy networks with BatchNorm had 0.5 and more."""


@check(
    direction="at most",
    advice="Keep the layers in the details in float32 (normalizations, softmax, the loss), or take bfloat16 "
    "for float16.",
)
def amp_rtol(precision: GradientAgreement) -> Observed[Relative]:
    """Do loss and gradients survive mixed precision?

    Why it matters:
        Autocast rounds every matrix product. Rounding noise averages out; an operation that needs the range or the
        digits of float32 fails.

    Example:
        amp_rtol: 5e-2

    What the number means:
        The larger of the relative difference of the loss, and the relative L2 norm of the difference of the gradient of
        the parameter that deviates most, autocast against full precision. Healthy: 2e-2 in bfloat16, 4e-3 in float16.
        PyTorch lists which operations autocast to which type (https://docs.pytorch.org/docs/stable/amp.html).

        A gradient whose true value is zero, such as that of a key's bias or of a bias in front of a normalization, is
        rounding and agrees with nothing. So a difference is relative to no less than a hundredth of the norm of all
        gradients together, or the machine epsilon of the autocast dtype if that is more; the details name them.

        On a CPU, layer and group norms compute in float32, as they do under the autocast of CUDA: the CPU's own layer
        norm adds up the gradients of its weights in bfloat16, which alone may change them by a third.

        A larger number has no verdict where rounding the weights alone to the autocast dtype, with all else in full
        precision, changes the gradients nearly as much: they are that sensitive at these weights, and no operation is
        to blame. So it is with many untrained networks with BatchNorm on a few small images, whose gradients may differ
        by 100 %.
    """
    value, details = max(precision.loss, precision.worst.relative), gradient_details(precision)
    if precision.explained < EXPLAINED:
        return Observed(value, details)
    share = {"share of it by rounded weights alone": precision.explained}
    return Observed(
        value,
        {**details, **share},
        noise="rounding the weights alone, with all else in full precision, changes the gradients nearly as much: they "
        "are that sensitive at these weights and on this batch, and no operation of autocast is to blame; measure with "
        "trained weights or a larger batch",
    )

"""`max_trainable_fraction`."""

from __future__ import annotations

from retspec.facts import Parameters
from retspec.plugin import Observed, check
from retspec.records import Fraction


@check(
    direction="at most",
    advice="Lower the rank `model.lora.r`, name fewer `target_modules`, or freeze what should not train.",
)
def max_trainable_fraction(parameters: Parameters) -> Observed[Fraction]:
    """What fraction of all parameters trains?

    Why it matters:
        One limit serves models of different sizes: an adapter is well below one percent.

    Example:
        max_trainable_fraction: 0.01

    What the number means:
        Trainable elements divided by all elements, as peft's `print_trainable_parameters()` counts them: the frozen
        original of a saved head is included in all. ViT-L/16 with LoRA r=8 on qkv: 791,557 of 304,098,314, which is
        0.0026.
    """
    details = {"trainable": parameters.trainable_total, "all": parameters.total, **parameters.breakdown()}
    return Observed(parameters.trainable_total / max(parameters.total, 1), details)

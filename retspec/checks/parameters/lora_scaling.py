"""`lora_scaling`."""

from __future__ import annotations

from retspec.facts import Parameters
from retspec.plugin import Observed, SubjectError, check


@check(
    direction="equal",
    advice="Compare `lora.alpha` and `lora.r`, or those in the adapter_config.json that was loaded, with what the "
    "adapter was trained with.",
)
def lora_scaling(parameters: Parameters) -> Observed[float]:
    """By how much is the adapter's update scaled?

    Why it matters:
        The file of an adapter holds no scale: it is alpha / r of the configuration beside it. An edited `lora_alpha`
        loads without a word, and every update comes out too strong or too weak.

    Example:
        lora_scaling: 4.0

    What the number means:
        The factor of the update as peft applies it: alpha / r, or alpha / sqrt(r) under rsLoRA; 32 / 8 = 4. Adapters
        without one factor for all their layers have no verdict.
    """
    scalings = parameters.scalings
    adapted = len(parameters.adapted_layers)
    if not adapted or len(scalings) < adapted:
        raise SubjectError(
            f"of {adapted} adapted layers {len(scalings)} have one adapter at work that scales its update; look at "
            "`model.lora`, or leave this criterion out"
        )
    by_scale = {scale: name for name, scale in scalings.items()}
    if len(by_scale) > 1:
        told = ", ".join(f"{scale:g} at {name}" for scale, name in by_scale.items())
        raise SubjectError(f"the layers do not share one scale: {told}")
    return Observed(next(iter(scalings.values())), {"layers": len(scalings)})

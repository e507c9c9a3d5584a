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
    """What factor scales the adapter's update?

    Why it matters:
        An adapter file holds no scale: it is alpha / r of the configuration next to it. peft loads an edited
        `lora_alpha` without a warning, and every update is too strong or too weak.

    Example:
        lora_scaling: 4.0

    What the number means:
        The factor of the update as peft applies it: alpha / r, as in section 4.1 of LoRA
        (https://arxiv.org/abs/2106.09685), or alpha / sqrt(r) under rsLoRA (https://arxiv.org/abs/2312.03732); 32 / 8 =
        4. No verdict for adapters without one factor for all layers.
    """
    scalings = parameters.scalings
    adapted = len(parameters.adapted_layers)
    if not adapted:
        raise SubjectError("the model carries no adapter; add `model.lora`, or leave this criterion out")
    if len(scalings) < adapted:
        raise SubjectError(
            f"of {adapted} adapted layers {len(scalings)} have one adapter at work that scales its update; look at "
            "`model.lora`, or leave this criterion out"
        )
    by_scale = {scale: name for name, scale in scalings.items()}
    if len(by_scale) > 1:
        scales = ", ".join(f"{scale:g} at {name}" for scale, name in by_scale.items())
        raise SubjectError(f"the layers do not share one scale: {scales}")
    return Observed(next(iter(scalings.values())), {"layers": len(scalings)})

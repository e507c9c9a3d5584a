"""`max_trainable_params` and `min_trainable_params`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.facts import Parameters
from retspec.plugin import Observed, check


@check(
    direction="at most",
    unit="parameters",
    advice="Lower the rank `model.lora.r`, name fewer `target_modules`, or freeze what should not train; the details "
    "show which group the parameters belong to.",
)
def max_trainable_params(parameters: Parameters) -> Observed[Annotated[int, Meta(ge=0, extra={"rare": 10**15})]]:
    """How many parameters train, at most?

    Why it matters:
        Adapters are small by design. A number that is far too large means that the base model was never frozen, or that
        a pattern adapted more layers than intended.

    Example:
        max_trainable_params: 1_000_000

    What the number means:
        Elements of all parameters with requires_grad. An adapted layer of in x out features adds r x (in + out), see
        section 4.1 of LoRA (https://arxiv.org/abs/2106.09685). ViT-L/16 with LoRA r=8 on qkv and a saved head of 5
        classes has 791,557: 24 layers x 8 x (1024 + 3072) for the adapter and 5,125 for the head.
    """
    return Observed(parameters.trainable_total, parameters.breakdown())


@check(
    direction="at least",
    unit="parameters",
    advice="Check that `target_modules` matches the intended layers and that `modules_to_save` names the head; the "
    "details show which group trains nothing.",
)
def min_trainable_params(parameters: Parameters) -> Observed[Annotated[int, Meta(ge=0)]]:
    """How many parameters train, at least?

    Why it matters:
        peft accepts a list of targets of which only a part matches, and leaves a head frozen that is not saved, without
        a warning for either. Too few trainable parameters reveal both.

    Example:
        min_trainable_params: 700_000

    What the number means:
        Elements of all parameters with requires_grad.
    """
    return Observed(parameters.trainable_total, parameters.breakdown())

"""`loaded_adapter_effect`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.facts import AdapterEffect
from retspec.plugin import Observed, check


@check(
    direction="at least",
    advice="Load the folder of the last epoch, not one saved before training, and check that the training script "
    "trained the adapter that it saved: `adapter_effect` and `dead_gradients` test that on the training setup.",
)
def loaded_adapter_effect(loaded_effect: AdapterEffect) -> Observed[Annotated[float, Meta(ge=0)]]:
    """Does the loaded adapter change the outputs?

    Why it matters:
        An adapter that was saved before training, or from another model than the one that trained, loads without a
        warning. Its second factor B is still zero, as LoRA (https://arxiv.org/abs/2106.09685) initializes it, so only
        the base answers.

    Example:
        loaded_adapter_effect: 1e-3

    What the number means:
        Largest absolute difference of a logit with the adapter and without it, on the model as `model.adapter` (or your
        own factory) left it: nothing is trained for it. A fresh adapter gives exactly zero.
    """
    return Observed(loaded_effect.absolute, {"relative to the largest logit": loaded_effect.relative})

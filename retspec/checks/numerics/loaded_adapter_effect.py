"""`loaded_adapter_effect`."""

from __future__ import annotations

from retspec.facts import AdapterEffect
from retspec.plugin import Observed, check


@check(
    direction="at least",
    advice="Load the folder of the last epoch, not one saved before training, and look whether the training script "
    "trained the adapter that it saved: `adapter_effect` and `dead_gradients` tell on the training setup.",
)
def loaded_adapter_effect(loaded_effect: AdapterEffect) -> Observed[float]:
    """Does the loaded adapter change the outputs?

    Why it matters:
        An adapter that was saved before it was trained, or saved from another model than the one that trained, loads
        without a word: its second factor is zero, and the base answers alone.

    Example:
        loaded_adapter_effect: 1e-3

    What the number means:
        Largest absolute difference of a logit with the adapter and without, the model being as `model.adapter` (or your
        own factory) left it: nothing is trained for it. A fresh adapter gives exactly zero.
    """
    return Observed(loaded_effect.absolute, {"relative to the largest logit": loaded_effect.relative})

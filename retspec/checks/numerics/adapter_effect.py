"""`adapter_effect`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.facts import AdapterEffect
from retspec.plugin import Observed, check


@check(
    direction="at least",
    advice="Check that the adapter receives gradients (`dead_gradients`) and moves (`unchanged_params`), and that it "
    "is not merged or disabled while training.",
)
def adapter_effect(effect: AdapterEffect) -> Observed[Annotated[float, Meta(ge=0)]]:
    """Does the trained adapter change the outputs?

    Why it matters:
        The head alone can bring the loss down. With an adapter that changes nothing, the run is a linear probe at the
        cost of fine-tuning.

    Example:
        adapter_effect: 1e-3

    What the number means:
        Largest absolute difference of a logit with the adapter and without it, after training. The trained head is in
        place for both.
    """
    details: dict[str, object] = {"relative to the largest logit": effect.relative}
    if effect.read_past:
        details["layers whose weight torch reads past the adapter"] = [*effect.read_past]
    return Observed(effect.absolute, details)

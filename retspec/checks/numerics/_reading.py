"""How several numerics checks read the facts about gradients and merging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.plugin import Inconclusive
from retspec.text.wording import listing

if TYPE_CHECKING:
    from retspec.facts import GradientAgreement, Merging

Atol = Annotated[float, Meta(ge=0, extra={"rare": 10**4})]
NAMED_FACTOR = 0.01
"""Deviation of the factor from 1 above which it is worth naming."""
LEAST_EFFECT = 1e-3
"""Effect of the adapter, as a fraction of the largest output, below which a faulty merge would not show."""


def gradient_details(agreement: GradientAgreement) -> dict[str, object]:
    """Return the parameter that deviates most, the loss, and the factor between the two gradients if it is not 1."""
    details: dict[str, object] = {
        "worst": f"{agreement.worst.name} ({agreement.worst.relative:.2e})",
        "loss": agreement.loss,
    }
    if abs(agreement.factor - 1) > NAMED_FACTOR:
        details["all gradients are larger by the factor"] = agreement.factor
    if agreement.unresolved:
        details[f"gradients that may be rounding, held against {agreement.floor:.1e}"] = [*agreement.unresolved]
    return details


def merging_details(merging: Merging) -> dict[str, object]:
    """Return the adapter's effect, the largest output and the worst layer.

    Raises Inconclusive for an adapter whose effect is too small for a faulty merge to show.
    """
    past = listing(merging.read_past)
    if merging.effect < LEAST_EFFECT * merging.scale:
        raise Inconclusive(
            f"the adapter changes the output by {merging.effect:.1e} of {merging.scale:.1e} only, so that losing it "
            f"while merging would not show{'; torch reads past it in ' + past if past else ''}"
        )
    details: dict[str, object] = {"effect": merging.effect, "largest output": merging.scale}
    if merging.layers:
        worst = merging.layers[0]
        details["worst layer"] = f"{worst.name} (weights off by {worst.deviation:.1e})"
    if merging.recomputed:
        details["weights recomputed in every forward pass (weight norm or another parametrization)"] = [
            *merging.recomputed
        ]
    if past:
        details["layers whose weight torch reads past the adapter"] = [*merging.read_past]
    if merging.tied:
        details["weights tied to another layer, which merging changes too"] = [*merging.tied]
    return details

"""`sequence_length`."""

from __future__ import annotations

from retspec.checks.parameters._reading import first_attention
from retspec.facts import Geometry
from retspec.plugin import Observed, check


@check(
    direction="equal",
    unit="tokens",
    advice="Patches plus class and register tokens give this number: check image size, patch size, and whether the "
    "model has register tokens.",
)
def sequence_length(geometry: Geometry) -> Observed[int]:
    """How many tokens does the first attention layer see?

    Why it matters:
        It counts what is there beside the patches: a class token, register tokens. A checkpoint trained with registers
        does not fit a model without them.

    Example:
        sequence_length: 197

    What the number means:
        The number of keys of the first attention in a forward pass: 197 for 224 pixels at patch 16 (196 patches and a
        class token), 789 for 392 pixels at patch 14 (784 patches, a class token, 4 registers). Under windowed
        attention, as in Swin, the tokens of one window.
    """
    first, details = first_attention(geometry)
    return Observed(first.shape[3], details)

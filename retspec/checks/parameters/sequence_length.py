"""`sequence_length`."""

from __future__ import annotations

from retspec.checks.parameters._reading import first_attention
from retspec.facts import Geometry
from retspec.plugin import Observed, check


@check(
    direction="equal",
    unit="tokens",
    advice="The number is patches plus class and register tokens: check the image size, the patch size, and whether "
    "the model has register tokens.",
)
def sequence_length(geometry: Geometry) -> Observed[int]:
    """How many tokens does the first attention layer see?

    Why it matters:
        Beside the patches there may be a class token and register tokens (https://arxiv.org/abs/2309.16588). A
        checkpoint trained with registers does not fit a model without them.

    Example:
        sequence_length: 197

    What the number means:
        The number of keys of the first attention in a forward pass: 197 for 224 pixels at patch 16, as in ViT
        (https://arxiv.org/abs/2010.11929): 196 patches and a class token; 789 for 392 pixels at patch 14 (784 patches,
        a class token, 4 registers). Under windowed attention, as in Swin (https://arxiv.org/abs/2103.14030), the tokens
        of one window.
    """
    first, details = first_attention(geometry)
    return Observed(first.shape[3], details)

"""`sequence_length` and `attention_shape`: what the attention layers see."""

from __future__ import annotations

from retspec.facts import AttentionShape, Geometry
from retspec.plugin import Observed, SubjectError, check


def _first(geometry: Geometry) -> tuple[AttentionShape, dict[str, object]]:
    if not geometry.attention:
        raise SubjectError("no attention ran in the forward pass, so it has no shape")
    shapes = [f"{' x '.join(map(str, entry.shape))} in {entry.layers} layers" for entry in geometry.attention]
    return geometry.attention[0], {"batch x heads x queries x keys": shapes}


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
    first, details = _first(geometry)
    return Observed(first.shape[3], details)


@check(
    direction="equal",
    advice="Read the shape as (batch, heads, queries, keys) and compare batch size, heads and tokens one by one.",
)
def attention_shape(geometry: Geometry) -> Observed[tuple[int, ...]]:
    """Which shape has the first attention matrix?

    Why it matters:
        Heads and tokens decide what an attention map shows and what attention costs; both follow from the model's
        configuration, which a fine-tuning script may change without meaning to.

    Example:
        attention_shape: [4, 16, 197, 197]

    What the number means:
        (batch, heads, queries, keys) of the first attention in a forward pass of the spec's batch. Fused attention
        never makes the matrix: its shape is that of query times key as they enter.
    """
    first, details = _first(geometry)
    return Observed(first.shape, details)

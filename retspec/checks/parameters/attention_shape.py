"""`attention_shape`."""

from __future__ import annotations

from retspec.checks.parameters._reading import first_attention
from retspec.facts import Geometry
from retspec.plugin import Observed, check


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
    first, details = first_attention(geometry)
    return Observed(first.shape, details)

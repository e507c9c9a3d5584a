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
    """What shape does the first attention matrix have?

    Why it matters:
        Heads and tokens decide what an attention map shows and what attention costs. Both follow from the model's
        configuration, which a fine-tuning script can change by accident.

    Example:
        attention_shape: [4, 16, 197, 197]

    What the number means:
        (batch, heads, queries, keys) of the first attention in a forward pass of the spec's batch. Fused attention
        (https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html) never
        builds the matrix: its shape is that of query times key as they enter.
    """
    first, details = first_attention(geometry)
    return Observed(first.shape, details)

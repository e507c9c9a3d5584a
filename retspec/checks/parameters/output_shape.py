"""`output_shape`."""

from __future__ import annotations

from retspec.facts import Geometry
from retspec.plugin import Observed, check


@check(
    direction="equal",
    advice="Set `num_classes` to the number of your classes, and check that the head pools the tokens.",
)
def output_shape(geometry: Geometry) -> Observed[tuple[int, ...]]:
    """What shape does the output have?

    Why it matters:
        A head of 1000 classes trains on five labels without an error, and so does a model without a head, whose output
        is its features.

    Example:
        output_shape: [4, 5]

    What the number means:
        (batch, classes) of a forward pass of the spec's batch; (batch, classes, height, width) for segmentation.
    """
    return Observed(geometry.output_shape, {"input": list(geometry.input_shape)})

"""`input_size`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.facts import Expectations, Pipeline
from retspec.plugin import Observed, SubjectError, check
from retspec.records import PositiveInt

Size = Annotated[
    list[PositiveInt], Meta(min_length=1, description="[channels, height, width]; by default the model's.")
]


@check(
    direction="equal",
    default_limit=True,
    shorthand="size",
    advice="Resize and crop to the size in the details, or build the model for the size that the pipeline gives "
    "(`model.kwargs.img_size`).",
)
def input_size(pipeline: Pipeline, expectations: Expectations, *, size: Size | None = None) -> Observed[bool]:
    """Do images have the size that the backbone expects?

    Why it matters:
        A model that accepts any size does not complain about the wrong one, but its position embeddings or its features
        then mean something else.

    Example:
        input_size: [3, 224, 224]

    What the number means:
        True when the pipeline's output has this shape, (channels, height, width); by default the one that the model was
        built for.
    """
    wanted = tuple(size) if size else expectations.input_size
    if wanted is None:
        raise SubjectError("no model reports its input size; give it, as in `input_size: [3, 224, 224]`", path="checks")
    details = {
        "comes out": list(pipeline.output_size),
        "expected": list(wanted),
        "aspect ratio": "kept" if pipeline.keeps_aspect else "squeezed",
        "of the shorter side": pipeline.cropped,
        "interpolation": pipeline.interpolation or "unknown",
    }
    return Observed(pipeline.output_size == wanted, details)

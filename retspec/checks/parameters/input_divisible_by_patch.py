"""`input_divisible_by_patch`."""

from __future__ import annotations

from retspec.checks.parameters._reading import patch_details, patch_embedding
from retspec.facts import Geometry
from retspec.plugin import Observed, check


@check(
    direction="equal",
    default_limit=True,
    advice="Choose an input size that is a multiple of the patch size: 224 or 512 for patch 16, 392 or 518 for 14.",
)
def input_divisible_by_patch(geometry: Geometry) -> Observed[bool]:
    """Is every pixel of the input seen?

    Why it matters:
        timm cuts off what is left of an image that is no multiple of the patch size, without a warning: at 518 pixels
        and patch 16 the model sees 512 of them.

    Example:
        input_divisible_by_patch: true

    What the number means:
        True when height and width of the input, and the depth of a volume, are multiples of the patch that a forward
        pass showed.
    """
    embedding = patch_embedding(geometry)
    sizes = (embedding.input_shape or geometry.input_shape)[-len(embedding.patch) :]
    divisible = all(size % patch == 0 for size, patch in zip(sizes, embedding.patch, strict=True))
    return Observed(divisible, patch_details(geometry, embedding))

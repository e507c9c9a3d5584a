"""`patch_count`."""

from __future__ import annotations

from math import prod

from retspec.checks.parameters._reading import patch_details, patch_embedding
from retspec.facts import Geometry
from retspec.plugin import Observed, check


@check(
    direction="equal",
    unit="patches",
    advice="Compare the input size with the model's: `model.kwargs.img_size`, `data` and the patch size must fit "
    "together.",
)
def patch_count(geometry: Geometry) -> Observed[int]:
    """How many patches is an image cut into?

    Why it matters:
        The number follows from image size and patch size. A different number means a different resolution than the
        checkpoint's.

    Example:
        patch_count: 196

    What the number means:
        Rows x columns of the grid that the patch embedding made in a forward pass: (height / patch) x (width / patch),
        in a volume times its layers, as in ViT (https://arxiv.org/abs/2010.11929). 196 for 224 pixels at patch 16, 784
        for 392 pixels at patch 14.
    """
    embedding = patch_embedding(geometry)
    return Observed(prod(embedding.grid), patch_details(geometry, embedding))

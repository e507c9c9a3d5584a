"""`embed_dim`."""

from __future__ import annotations

from retspec.checks.parameters._reading import patch_details, patch_embedding
from retspec.facts import Geometry
from retspec.plugin import Observed, check


@check(
    direction="equal",
    unit="channels",
    advice="The width gives the size of the model: compare the model's name with the checkpoint that it should load.",
)
def embed_dim(geometry: Geometry) -> Observed[int]:
    """How wide is a token?

    Why it matters:
        The width tells a small from a base from a large model before the wrong checkpoint is loaded.

    Example:
        embed_dim: 1024

    What the number means:
        Channels that leave the patch embedding: 384 for ViT-S, 768 for ViT-B, 1024 for ViT-L. B and L are in Table 1 of
        ViT (https://arxiv.org/abs/2010.11929).
    """
    embedding = patch_embedding(geometry)
    return Observed(embedding.width, patch_details(geometry, embedding))

"""`embed_dim`."""

from __future__ import annotations

from retspec.checks.parameters._reading import patch_details, patch_embedding
from retspec.facts import Geometry
from retspec.plugin import Observed, check


@check(
    direction="equal",
    unit="channels",
    advice="The width tells the model's size: check the model's name against the checkpoint that it shall load.",
)
def embed_dim(geometry: Geometry) -> Observed[int]:
    """How wide is a token?

    Why it matters:
        It tells a small from a base from a large model before a checkpoint of the wrong one is loaded.

    Example:
        embed_dim: 1024

    What the number means:
        Channels that leave the patch embedding: 384 for ViT-S, 768 for ViT-B, 1024 for ViT-L.
    """
    embedding = patch_embedding(geometry)
    return Observed(embedding.width, patch_details(geometry, embedding))

"""How several parameter checks read the shapes of a `Geometry`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugin import SubjectError

if TYPE_CHECKING:
    from retspec.facts import AttentionShape, Geometry, PatchEmbedding


def patch_embedding(geometry: Geometry) -> PatchEmbedding:
    """Return the patch embedding; raises SubjectError when none ran."""
    if geometry.patch_embedding is None:
        raise SubjectError("no patch embedding ran: no convolution whose stride equals its kernel cuts up the input")
    return geometry.patch_embedding


def patch_details(geometry: Geometry, embedding: PatchEmbedding) -> dict[str, object]:
    """Return the shapes at the patch embedding: (batch, channels, height, width), (height, width), (rows, columns)."""
    return {
        "layer": embedding.name,
        "input": list(embedding.input_shape or geometry.input_shape),
        "patch": list(embedding.patch),
        "grid": list(embedding.grid),
    }


def first_attention(geometry: Geometry) -> tuple[AttentionShape, dict[str, object]]:
    """Return the shape of the first attention matrix, and all shapes as details; raises SubjectError for none."""
    if not geometry.attention:
        raise SubjectError("no attention ran in the forward pass, so it has no shape")
    shapes = [f"{' x '.join(map(str, entry.shape))} in {entry.layers} layers" for entry in geometry.attention]
    return geometry.attention[0], {"batch x heads x queries x keys": shapes}

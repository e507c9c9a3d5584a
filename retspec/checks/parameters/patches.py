"""`patch_count`, `embed_dim` and `input_divisible_by_patch`: what the patch embedding does."""

from __future__ import annotations

from math import prod

from retspec.facts import Geometry, PatchEmbedding
from retspec.plugin import Observed, SubjectError, check


def _patch_embedding(geometry: Geometry) -> PatchEmbedding:
    if geometry.patch_embedding is None:
        raise SubjectError("no patch embedding ran: no convolution whose stride equals its kernel cuts up the input")
    return geometry.patch_embedding


def _details(geometry: Geometry, embedding: PatchEmbedding) -> dict[str, object]:
    return {
        "layer": embedding.name,
        "input": list(geometry.input_shape),
        "patch": list(embedding.patch),
        "grid": list(embedding.grid),
    }


@check(
    direction="equal",
    unit="patches",
    advice="Compare the input size with the model's: `model.kwargs.img_size`, `data` and the patch size must fit "
    "together.",
)
def patch_count(geometry: Geometry) -> Observed[int]:
    """Into how many patches is an image cut?

    Why it matters:
        It follows from image size and patch size. Another number means another resolution than the checkpoint's.

    Example:
        patch_count: 196

    What the number means:
        Rows x columns of the grid that the patch embedding made in a forward pass: 196 for 224 pixels at patch 16, 784
        for 392 pixels at patch 14.
    """
    embedding = _patch_embedding(geometry)
    return Observed(prod(embedding.grid), _details(geometry, embedding))


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
    embedding = _patch_embedding(geometry)
    return Observed(embedding.width, _details(geometry, embedding))


@check(
    direction="equal",
    default_limit=True,
    advice="Choose an input size that is a multiple of the patch size: 224 or 512 for patch 16, 392 or 518 for 14.",
)
def input_divisible_by_patch(geometry: Geometry) -> Observed[bool]:
    """Is every pixel of the input seen?

    Why it matters:
        An image size that is no multiple of the patch size is cut off in silence: at 518 pixels and patch 16 the model
        sees 512 of them.

    Example:
        input_divisible_by_patch: true

    What the number means:
        True when height and width of the input are multiples of the patch that was seen at work.
    """
    embedding = _patch_embedding(geometry)
    sizes = geometry.input_shape[-2:]
    divisible = all(size % patch == 0 for size, patch in zip(sizes, embedding.patch, strict=True))
    return Observed(divisible, _details(geometry, embedding))

"""Facts about shapes, seen in a forward pass on fake tensors: nothing is read off attributes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AttentionShape:
    """The shape (batch, heads, queries, keys) of an attention matrix, and how many layers have it."""

    shape: tuple[int, int, int, int]
    layers: int


@dataclass(frozen=True)
class PatchEmbedding:
    """The convolution that cuts the image into patches: its stride equals its kernel."""

    name: str
    patch: tuple[int, int]
    """(height, width) of a patch in pixels."""
    grid: tuple[int, int]
    """(rows, columns) of patches that it made."""
    width: int
    """Channels of a token."""


@dataclass(frozen=True)
class Classifier:
    """The last module with parameters that ran: what turns features into logits."""

    name: str
    type: str
    trainable: bool
    """Whether one of its parameters requires a gradient and gets one: it lies on the graph of the output."""
    is_projection: bool
    """Whether it is a linear map or a convolution; a normalization layer at the end means that there is no head."""
    unused_trainable: tuple[str, ...] = ()
    """Trainable parameters that the output does not depend on: a head that was replaced after wrapping, say."""


@dataclass(frozen=True)
class Geometry:
    """Shapes of one forward pass of the spec's batch."""

    input_shape: tuple[int, ...]
    """(batch, channels, height, width), for images."""
    output_shape: tuple[int, ...]
    """(batch, classes), for a classifier."""
    patch_embedding: PatchEmbedding | None
    attention: tuple[AttentionShape, ...]
    """Distinct shapes in the order in which they ran."""
    classifier: Classifier

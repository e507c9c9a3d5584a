"""Facts about shapes, seen in a forward pass on fake tensors: nothing is taken from attributes."""

from __future__ import annotations

from msgspec import Struct


class AttentionShape(Struct, frozen=True):
    """The shape of an attention matrix."""

    shape: tuple[int, int, int, int]
    """(batch, heads, queries, keys)."""
    layers: int
    """Number of layers with this shape."""


class PatchEmbedding(Struct, frozen=True):
    """The convolution that cuts the image into patches: its stride equals its kernel."""

    name: str
    patch: tuple[int, ...]
    """(height, width) of a patch in pixels; (depth, height, width) in a volume."""
    grid: tuple[int, ...]
    """(rows, columns) of patches in an image; (layers, rows, columns) in a volume."""
    width: int
    """Channels of a token, the embedding dimension."""
    input_shape: tuple[int, ...] = ()
    """(batch, channels, height, width) of what it cuts up; empty in results of older versions."""


class Classifier(Struct, frozen=True):
    """The modules with parameters whose output reaches the logits without another one in between.

    Several make the logits of a distilled DeiT; of the others that ran, such as a head for another task, none counts.
    """

    name: str
    """The last of them that ran: the last projection, if there is one."""
    type: str
    trainable: bool
    """Whether each of them has a parameter that requires a gradient and gets one, because the output depends on it."""
    is_projection: bool
    """Whether it is a linear map or a convolution; a normalization layer at the end means that there is no head."""
    unused_trainable: tuple[str, ...] = ()
    """Trainable parameters that the output does not depend on: a head that was replaced after wrapping, say."""
    heads: tuple[str, ...] = ()
    """All of them that are projections, each with its adapter, in the order in which they ran."""
    frozen_heads: tuple[str, ...] = ()
    """Those of them in which nothing trains."""


class Geometry(Struct, frozen=True):
    """Shapes of one forward pass of the spec's batch."""

    input_shape: tuple[int, ...]
    """(batch, channels, height, width) for images, in pixels."""
    output_shape: tuple[int, ...]
    """(batch, classes) for a classifier, (batch, classes, height, width) for segmentation."""
    patch_embedding: PatchEmbedding | None
    attention: tuple[AttentionShape, ...]
    """Distinct shapes in the order in which they ran."""
    classifier: Classifier

"""What the measurements of this plugin return: plain data, so that the checks need no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the names and shapes in a checkpoint say about it; no weight was read."""

    wrapper: str
    """The key of the file that holds the weights; empty when they are at its top."""
    prefixes: tuple[str, ...]
    """Prefixes of the names in the file."""
    tensors: int
    """Number of tensors in the file."""
    width: int
    """Channels of a token; 0 when the file holds no vision transformer."""
    patch_size: int
    """Height and width of a patch in pixels."""
    positions: int
    """Number of tokens that have a position embedding."""
    registers: int
    """Number of register tokens."""
    head_classes: int
    """Outputs of the head; 0 when the file holds no head."""
    decoder: bool
    """Whether the decoder of a masked autoencoder is in the file."""
    self_distilled: bool
    """Whether heads of DINO and iBOT, or their teacher, are in the file."""


@dataclass(frozen=True, kw_only=True)
class Tail:
    """What a model makes of the last block's tokens before its head, compared with the known references."""

    backbone: str
    differences: Mapping[str, float]
    """Name of a reference to the largest absolute difference of a feature from it."""
    norms: tuple[str, ...]
    """Names of the layer norms between the last block and the head, in the order in which they ran."""
    place: str = ""
    """Where the features were seen, such as `in front of head`."""

"""What the measurements of this plugin return: plain data, so that the checks need no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the names and shapes in a checkpoint say about it; no number of a weight was looked at."""

    wrapper: str
    """The key under which the weights lie; empty at the top of the file."""
    prefixes: tuple[str, ...]
    """In front of the names."""
    tensors: int
    width: int
    """Channels of a token; 0 when the file holds no vision transformer."""
    patch_size: int
    positions: int
    """Tokens that have a position embedding."""
    registers: int
    head_classes: int
    """Outputs of the head; 0 when the file holds none."""
    decoder: bool
    """Whether the decoder of a masked autoencoder is in the file."""
    self_distilled: bool
    """Whether heads of DINO and iBOT, or their teacher, are in the file."""


@dataclass(frozen=True, kw_only=True)
class Tail:
    """What a model makes of the last block's tokens before its head, held against the known ways."""

    backbone: str
    differences: Mapping[str, float]
    """Largest absolute difference of a feature, by the name of the way."""
    norms: tuple[str, ...]
    """Layer norms between the last block and the head, in the order in which they ran."""

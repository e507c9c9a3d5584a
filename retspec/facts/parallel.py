"""Facts about layers that matter once a model trains on several ranks, read without any of them."""

from __future__ import annotations

from msgspec import Struct


class Block(Struct, frozen=True):
    """Parameters that FSDP would shard as one unit: those of a block of the model, or those outside of all blocks."""

    name: str
    """Name of the block; empty for what is outside of all."""
    trainable: tuple[str, ...]
    """Names of its parameters that require a gradient."""
    frozen: tuple[str, ...]
    """Names of the others."""
    leaves: tuple[str, ...]
    """Of the trainable ones, those in a layer without children whose `weight` trains."""


class ParallelLayers(Struct, frozen=True):
    """BatchNorm layers and blocks of a model."""

    unsynced: tuple[str, ...]
    """BatchNorm layers in train mode that compute their statistics on one rank."""
    synced: int
    """Those that compute them over all ranks."""
    evaluating: int
    """Those in eval mode."""
    blocks: tuple[Block, ...]

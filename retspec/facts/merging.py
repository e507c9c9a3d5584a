"""Facts about merging an adapter into its base and unmerging it."""

from __future__ import annotations

from msgspec import Struct


class LayerDeviation(Struct, frozen=True):
    """How far a merged weight is from W + (alpha / r) B A, base weight plus update (LoRA, arXiv:2106.09685)."""

    name: str
    """The layer."""
    deviation: float
    """Largest absolute difference of an element of the weight."""


class Merging(Struct, frozen=True):
    """Largest absolute differences of a logit, in eval mode and at least single precision."""

    merged: float
    """Active adapter against merged adapter."""
    effect: float
    """Active adapter against disabled adapter, with the same head."""
    scale: float
    """Largest absolute logit with the active adapter."""
    randomized: int
    """Number of adapter factors that got seeded random values, to have an update to merge.

    They are those that were exactly zero, or all where these make no update.
    """
    layers: tuple[LayerDeviation, ...]
    """Worst first; empty for adapters whose update is not a sum of weights (DoRA and others)."""
    recomputed: tuple[str, ...] = ()
    """Layers whose weight is no parameter: the forward pass computes it again from others, as weight norm does."""
    tied: tuple[str, ...] = ()
    """Layers that have their weight in common with another layer, which an update merged into it changes too."""
    read_past: tuple[str, ...] = ()
    """Adapted layers whose weight torch reads past the adapter, as nn.MultiheadAttention does with its `out_proj`."""


class Unmerging(Struct, frozen=True):
    """What is left of an adapter's update that was merged and unmerged, in eval mode and at least single precision."""

    difference: float
    """Largest absolute difference of a logit: active adapter against the same adapter, merged and unmerged."""

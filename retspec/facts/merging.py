"""Facts about merging an adapter into its base and taking it out again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerDeviation:
    """How far a merged weight is from base weight + update, as the largest absolute difference."""

    name: str
    deviation: float


@dataclass(frozen=True)
class Merging:
    """Differences of outputs, in eval mode and at least single precision, as the largest absolute difference."""

    merged: float
    """Adapter at work against adapter merged."""
    unmerged: float
    """Adapter at work against adapter merged and taken out again."""
    effect: float
    """Adapter at work against adapter disabled, the head held fixed."""
    scale: float
    """Largest absolute output with the adapter at work."""
    randomized: int
    """Adapter factors that were exactly zero and got seeded random values, so that there is something to merge."""
    layers: tuple[LayerDeviation, ...]
    """Worst first; empty for adapters whose update is not a sum of weights (DoRA and others)."""

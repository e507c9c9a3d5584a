"""Facts about the adapter at other ranks, counted without weights."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RankCount:
    """Adapter parameters of the model wrapped at one rank."""

    rank: int
    count: int


@dataclass(frozen=True)
class Ranks:
    """One count per rank that was asked for."""

    counts: tuple[RankCount, ...]

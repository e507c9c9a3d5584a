"""Facts about the adapter at other ranks, counted without weights."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RankCount:
    """The size of the adapter at one rank."""

    rank: int
    count: int
    """Elements of all adapter parameters."""


@dataclass(frozen=True)
class Ranks:
    """One count per rank that was asked for."""

    counts: tuple[RankCount, ...]

"""Facts about the adapter at other ranks, counted without weights."""

from __future__ import annotations

from msgspec import Struct


class RankCount(Struct, frozen=True):
    """The size of the adapter at one rank."""

    rank: int
    count: int
    """Elements of all adapter parameters."""


class Ranks(Struct, frozen=True):
    """One count per rank that was asked for."""

    counts: tuple[RankCount, ...]

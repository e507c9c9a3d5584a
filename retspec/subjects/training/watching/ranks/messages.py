"""What a rank says to the process that started it: one JSON record per line."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from retspec.facts.distributed import GradientsOfRanks, RankTrace

COMPARE = b"compare\n"
"""Sent to rank 0 when all ranks have come to their end; the end of what is sent ends a rank."""


class Job(Struct, frozen=True):
    """What a rank gets on its standard input."""

    launch: dict[str, object]
    """A `Rerun` as plain data."""
    rank: int
    records: tuple[int, ...]
    """Descriptors of one file per rank, for what its gradients are compared by."""
    answers: int
    orders: int


class Step(Struct, frozen=True, tag=True):
    """A rank took a step."""

    taken: int


class Ended(Struct, frozen=True, tag=True):
    """A rank came to its end, and its file is written."""

    trace: RankTrace
    unfit: str = ""
    """Why it could not have the fault that was planted; empty if it could."""


class Unfit(Struct, frozen=True, tag=True):
    """The fault that was to be planted cannot be: the training did not start."""

    why: str


class Compared(Struct, frozen=True, tag=True):
    """Rank 0 has compared the gradients of all."""

    gradients: GradientsOfRanks


Message = Step | Ended | Unfit | Compared
encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Message).decode

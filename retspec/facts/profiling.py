"""Facts about where the time of a training step goes."""

from __future__ import annotations

from msgspec import Struct


class Operator(Struct, frozen=True):
    """An operator of torch, over one training step."""

    name: str
    milliseconds: float
    """Milliseconds in the operator itself, without those that it calls, on the device that does the work."""
    calls: int
    """Number of calls in the step."""


class Profile(Struct, frozen=True):
    """The operators of one training step that take most of its time, slowest first."""

    operators: tuple[Operator, ...]

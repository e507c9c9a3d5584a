"""Facts about where the time of a training step goes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Operator:
    """An operator of torch, over one training step."""

    name: str
    milliseconds: float
    """Milliseconds in the operator itself, without those that it calls, on the device that does the work."""
    calls: int
    """Number of calls in the step."""


@dataclass(frozen=True)
class Profile:
    """The operators of one training step that take most of its time, slowest first."""

    operators: tuple[Operator, ...]

"""What a criterion came to under several seeds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from retspec.records.values import Observed, Value, Verdict


class Aggregate(StrEnum):
    """Which of the values under several seeds is judged."""

    WORST = "worst"
    MEDIAN = "median"
    ALL = "all"


@dataclass(frozen=True, kw_only=True)
class SeedResult:
    """A criterion under one seed: what was observed, or why nothing was, and the verdict on that alone."""

    seed: int
    verdict: Verdict
    observed: Observed[Value] | None = None
    reason: str = ""
    """Why there is no verdict; empty where there is one."""
    trace: str = ""


@dataclass(frozen=True, kw_only=True)
class Seeds:
    """A criterion under several seeds, and how much they differ. The first seed is that of the spec."""

    each: tuple[SeedResult, ...]
    aggregate: Aggregate
    judged: int
    """The seed whose value decided."""
    least: float | None = None
    """The smallest judged value; None, as the next three, for a check that must equal its limit, and with one value."""
    greatest: float | None = None
    spread: float | None = None
    """The greatest minus the smallest value."""
    deviation: float | None = None
    """The sample standard deviation."""
    flips: int = 0
    """Seeds whose own verdict is not that of most seeds."""
    flip_rate: float = 0.0
    """The same as a share of all seeds."""

"""The values that are observed and judged, and the words for what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

Value = bool | int | float | str | tuple[int, ...]
"""What a check observes and a limit holds it against: one number, or one exact value."""

T_co = TypeVar("T_co", bound=Value, covariant=True)


@dataclass(frozen=True)
class Observed(Generic[T_co]):
    """What a check saw: one value, and the details that a person wants when it is missed (JSON-able)."""

    value: T_co
    details: Mapping[str, Any] = field(default_factory=dict)


class Direction(StrEnum):
    """How an observation is held against its limit. It belongs to the check, never to the spec."""

    AT_MOST = "at most"
    AT_LEAST = "at least"
    EQUAL = "equal"


class Severity(StrEnum):
    """What a missed limit means for the run."""

    ERROR = "error"
    WARN = "warn"


class Verdict(StrEnum):
    """The outcome of one criterion. All from `INCONCLUSIVE` on are "no verdict": never green."""

    MET = "met"
    MISSED = "missed"
    WARNED = "warned"
    SKIPPED = "skipped"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    TIMEOUT = "timeout"
    CRASH = "crash"
    OUT_OF_MEMORY = "out of memory"
    NOT_RUN = "not run"

    @property
    def is_decided(self) -> bool:
        """Whether this is a verdict at all."""
        return self in {Verdict.MET, Verdict.MISSED, Verdict.WARNED, Verdict.SKIPPED}

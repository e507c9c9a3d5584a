"""The values that are observed and judged, and the verdicts on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Literal, TypeVar

import msgspec

Value = bool | int | float | str | tuple[int, ...]
"""What a check observes and what a limit is: one number, or one exact value."""

T_co = TypeVar("T_co", bound=Value, covariant=True)


class Judged(StrEnum):
    """What of an observation with an interval is held against the limit."""

    POINT = "point"
    BOUND = "bound"


@dataclass(frozen=True, kw_only=True)
class Interval:
    """The confidence interval of an observed number, and what it is from."""

    lower: float
    upper: float
    level: float
    """Two-sided: at 0.95, each end is a one-sided bound at 0.975."""
    method: str
    """What was computed, in words, with the unit that was taken as independent."""
    images: int
    patients: int | None = None
    """None where no patients are named: then images are taken as independent."""
    positives: int | None = None
    """Images that are positive; None for a number that is not about any."""
    scale: Literal["logit", "linear"] = "linear"
    """The scale on which it is as wide as one over the root of the number of patients."""
    about: str = ""
    """Whose these images and patients are, where a part of all decides: `of the class 'severe'`."""
    estimate: float | None = None
    """The estimate that the worse end is of, where the value is that of another part."""

    @property
    def units(self) -> str:
        """What was taken as independent, counted: `212 patients`."""
        return f"{self.images:,} images" if self.patients is None else f"{self.patients:,} patients"


@dataclass(frozen=True)
class Observed(Generic[T_co]):
    """What a check observed: one value, and details that explain a miss (as JSON-able data)."""

    value: T_co
    details: Mapping[str, Any] = field(default_factory=dict)
    unseen: str = ""
    """What was not looked at and could only make the value worse: a miss stays one, and nothing else has a verdict."""
    noise: str = ""
    """What may have made the value worse than what was asked about: a miss has no verdict then."""
    interval: Interval | None = None
    """For a check that declares it: the criterion says whether the value is judged, or the worse end of this."""


class Direction(StrEnum):
    """How an observation is compared with its limit. It belongs to the check, never to the spec."""

    AT_MOST = "at most"
    AT_LEAST = "at least"
    EQUAL = "equal"

    def is_stricter(self, bound: Value, other: Value) -> bool:
        """Whether a bound allows less than another of the same type; of two exact values, neither does."""
        if self is Direction.EQUAL:
            return False
        # The schema ensures that both have the same type.
        return bool(bound < other if self is Direction.AT_MOST else bound > other)  # type: ignore[operator]


class Severity(StrEnum):
    """What a missed limit means for the run."""

    ERROR = "error"
    WARN = "warn"


class Verdict(StrEnum):
    """The verdict on one criterion. All from `INCONCLUSIVE` on are "no verdict": never green."""

    MET = "met"
    MISSED = "missed"
    WARNED = "warned"
    WAIVED = "waived"
    SKIPPED = "skipped"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    TIMEOUT = "timeout"
    CRASH = "crash"
    OUT_OF_MEMORY = "out of memory"
    NOT_RUN = "not run"

    @property
    def is_decided(self) -> bool:
        """Whether this is a verdict, and not "no verdict"."""
        return self.is_accepted or self in {Verdict.MISSED, Verdict.SKIPPED}

    @property
    def is_accepted(self) -> bool:
        """Whether something was judged, and a run may be green with it."""
        return self in {Verdict.MET, Verdict.WARNED, Verdict.WAIVED}


DEEPEST = 64
"""Levels of mappings and lists in what is recorded: more than a reader follows, and few enough for recursive code."""


def plain(value: Any) -> Any:
    """Return a value as plain data that JSON can carry: non-finite floats as text, unknown objects by their `str`.

    Raises NestingError for one that is nested more than `DEEPEST` deep.
    """
    try:
        return _finite(msgspec.to_builtins(value, str_keys=True, enc_hook=str), DEEPEST)
    except RecursionError:
        raise NestingError from None


class NestingError(ValueError):
    """A value is nested too deep to be recorded."""

    def __str__(self) -> str:
        return f"nested more than {DEEPEST} deep"


def is_deep(value: object, most: int = DEEPEST) -> bool:
    """Whether plain data is nested deeper than so many mappings and lists."""
    level = [value]
    for _ in range(most + 1):
        level = [item for each in level for item in _nested(each)]
        if not level:
            return False
    return True


def _nested(value: object) -> list[Any]:
    """Return the mappings and lists in one; nothing for anything else."""
    if not isinstance(value, (dict, list)):
        return []
    items = value.values() if isinstance(value, dict) else value
    return [item for item in items if isinstance(item, (dict, list))]


def _finite(value: Any, levels: int) -> Any:
    if isinstance(value, float) and value - value != 0:
        return str(value)
    if not isinstance(value, (dict, list, tuple)):
        return value
    if not levels:
        raise NestingError
    if isinstance(value, dict):
        return {key: _finite(item, levels - 1) for key, item in value.items()}
    return [_finite(item, levels - 1) for item in value]

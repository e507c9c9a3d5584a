"""Baselines: approved values that later runs are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Blessed:
    """The approved value of one criterion, and the check and arguments that gave it."""

    check: str
    value: int | float
    unit: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Blessing:
    """Who approved the values, why, and what they were measured on."""

    who: str
    reason: str
    when: str
    """UTC, `YYYY-MM-DDTHH:MM:SS`."""
    commit: str = ""
    """The git commit at which they were measured."""
    device: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The file that `vs:` names: the values that `retspec bless` copied from results, by criterion id."""

    retspec_baseline: Literal[1] = 1
    blessed: Blessing
    subject: Mapping[str, Any]
    subject_sha256: str
    checkpoint_sha256: str = ""
    values: Mapping[str, Blessed]

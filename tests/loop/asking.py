"""What a check on a watched loop says of recorded facts."""

from __future__ import annotations

from typing import Any

from retspec.facts import Loop, Owners
from retspec.plugins.catalog import gather

CHECKS = {
    name: check
    for name, check in gather(entry_points=False).checks.items()
    if check.measurements in {("loop",), ("owners",)}
}
ARGUMENTS: dict[str, dict[str, Any]] = {"lr_rtol": {"rates": [1e-3]}}


def value(name: str, facts: Loop, **arguments: Any) -> Any:
    return observed(name, facts, **arguments).value


def details(name: str, facts: Loop, **arguments: Any) -> Any:
    return observed(name, facts, **arguments).details


def observed(name: str, facts: Loop, **arguments: Any) -> Any:
    read = Owners.seen_in(facts) if CHECKS[name].measurements == ("owners",) else facts
    return CHECKS[name](read, **arguments)

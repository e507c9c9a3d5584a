"""A spec and its plugin as files, for the tests that generate specs."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

PLUGIN = '''
import os, sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from retspec.plugin import Check, Cost, Inconclusive, Measurement, Observed, check, hookimpl, measurement

def answer(does: str, log: str) -> float:
    with open(log, "a") as stream:
        stream.write("called\\n")
    return eval(does)

def inconclusive() -> float:
    raise Inconclusive("it proves nothing")

@check(direction="at most", advice="Nothing to do.")
def at_most(*, does: str = "1", log: str = os.devnull) -> float:
    """Is it small?"""
    return answer(does, log)

@check(direction="at least", advice="Nothing to do.")
def at_least(*, does: str = "1", log: str = os.devnull) -> float:
    """Is it large?"""
    return answer(does, log)

@check(direction="equal", advice="Nothing to do.")
def exactly(*, does: str = "1", log: str = os.devnull) -> float:
    """Is it the same?"""
    return answer(does, log)

@measurement(cost=Cost.STATIC)
def facts() -> int:
    """What was measured?"""
    return 1

@check(direction="at most", advice="Nothing to do.")
def reads(facts: int) -> int:
    """What do the facts say?"""
    return facts

@hookimpl
def retspec_checks() -> list[Check]:
    return [at_most, at_least, exactly, reads]

@hookimpl
def retspec_measurements() -> list[Measurement]:
    return [facts]
'''
SEVERAL = settings(max_examples=60)


@contextmanager
def written(data: dict[str, Any]) -> Iterator[Path]:
    """Write a spec and its plugin; JSON is YAML."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "checks.py").write_text(PLUGIN)
        path = Path(folder) / "spec.yaml"
        path.write_text(json.dumps(data))
        yield path

"""A plugin whose checks answer with what the seed of the run decides, from a table in a file of JSON.

The table has a value for each seed; `die` ends the worker, `wait` never ends, and each call is written down.
"""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path

from retspec.plugin import Check, Cost, Measurement, check, hookimpl, measurement

SEEDS = 1000
"""More than any seed of these tests."""


@measurement(cost=Cost.FORWARD, needs_torch=False)
def drawn(*, table: str) -> object:
    """What the table has for the seed that the worker has set."""
    state = random.getstate()
    seed = next(seed for seed in range(SEEDS) if _state_of(seed) == state)
    random.setstate(state)
    with Path(f"{table}.log").open("a") as log:
        log.write(f"drawn {seed} {os.getpid()}\n")
    value = json.loads(Path(table).read_text())[str(seed)]
    if value == "die":
        os._exit(9)
    if value == "wait":
        time.sleep(600)
    if value == "raise":
        raise ValueError(f"nothing under {seed}")
    return value


@measurement(cost=Cost.STATIC, needs_torch=False)
def fixed(*, table: str) -> int:
    """What no seed changes."""
    with Path(f"{table}.log").open("a") as log:
        log.write("fixed\n")
    return 1


@check(direction="at least", advice="Train longer.")
def at_least(drawn: object) -> float:
    """How much is it, where more is better?"""
    return drawn  # type: ignore[return-value]


@check(direction="at most", advice="Train longer.")
def at_most(drawn: object) -> float:
    """How much is it, where less is better?"""
    return drawn  # type: ignore[return-value]


@check(direction="equal", advice="Train longer.")
def exactly(drawn: object) -> float:
    """Is it just this?"""
    return drawn  # type: ignore[return-value]


@check(direction="equal", advice="Nothing to do.")
def fixed_is(fixed: int) -> int:
    """What does no seed change?"""
    return fixed


def _state_of(seed: int) -> object:
    random.seed(seed)
    return random.getstate()


@hookimpl
def retspec_checks() -> list[Check]:
    return [at_least, at_most, exactly, fixed_is]


@hookimpl
def retspec_measurements() -> list[Measurement]:
    return [drawn, fixed]

"""A plugin: a check that leaves a line in a file whenever it is measured, and may end the node that measures it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from retspec.plugin import Check, Cost, Measurement, check, hookimpl, measurement


@measurement(cost=Cost.STATIC, needs_torch=False)
def turn(*, log: str, seconds: float = 0.0, dies: bool = False) -> int:
    """Write a line into a file, wait, and return 1."""
    with Path(log).open("a", encoding="utf-8") as file:
        file.write("x\n")
    time.sleep(seconds)
    if dies:
        os.killpg(os.getppid(), signal.SIGKILL)
    return 1


@check(direction="at least", unit="times", advice="Measure it.")
def turns(turn: int) -> int:
    """How often was it measured?"""
    return turn


@hookimpl
def retspec_measurements() -> list[Measurement]:
    return [turn]


@hookimpl
def retspec_checks() -> list[Check]:
    return [turns]

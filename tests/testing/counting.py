"""A plugin whose checks need no torch, and note that they were called."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from retspec.plugin import Check, Inconclusive, Observed, check, hookimpl

NOTES = Path("notes")
"""In the working directory of the worker: a line for each call."""


@check(direction="at most", advice="Count again.")
def counted(*, value: int = 1) -> Observed[int]:
    """How many?"""
    with NOTES.open("a") as stream:
        stream.write("called\n")
    if value < 0:
        raise Inconclusive("there is nothing to count")
    return Observed(value, {"seen": [value]})


@check(direction="at most", advice="Nothing to do.")
def counted_late() -> int:
    """How many, after minutes in which somebody may end the run?"""
    time.sleep(600)
    with NOTES.open("a") as stream:
        stream.write("called\n")
    return 1


@check(direction="at most", advice="Nothing to do.")
def interrupts() -> int:
    """What comes of a Ctrl-C?"""
    os.kill(os.getppid(), signal.SIGINT)
    signal.pause()
    return 0


@hookimpl
def retspec_checks() -> list[Check]:
    return [counted, counted_late, interrupts]

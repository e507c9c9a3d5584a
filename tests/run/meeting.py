"""A plugin whose checks tell what goes on in other workers, and what their own has imported."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.plugin import Check, Cost, check, hookimpl, measurement

if TYPE_CHECKING:
    from retspec.plugin import Measurement
    from retspec.subjects.models.skeleton import Skeleton

PATIENCE = 120
AGES = 600


@check(direction="at least", advice="None: it is for tests.")
def others_met(*, folder: str, me: str, others: int = 1) -> int:
    """How many others are at work while this is?"""
    Path(folder, f"{me}.here").write_text(str(os.getpid()))
    deadline = time.monotonic() + (PATIENCE if others else 0)
    while len(there := [*Path(folder).glob("*.here")]) <= others and time.monotonic() < deadline:
        time.sleep(0.02)
    return len(there) - 1


@check(direction="at most", advice="None: it is for tests.")
def waits(*, folder: str, me: str, long: bool) -> int:
    """Does it wait for ages, or only until there are two?"""
    Path(folder, f"{me}.here").write_text(str(os.getpid()))
    while long or len([*Path(folder).glob("*.here")]) < 2:
        time.sleep(0.05)
    return 1


@check(direction="at most", advice="None: it is for tests.")
def threads_left(*, leave: bool) -> int:
    """Does it leave a thread?"""
    if leave:
        threading.Thread(target=time.sleep, args=(AGES,)).start()
    return 0


@measurement(cost=Cost.STATIC)
def imported(skeleton: Skeleton) -> list[str]:
    """Look at what was imported for the model."""
    assert skeleton is not None
    return [name for name in ("torch", "timm", "peft") if name in sys.modules]


@check(direction="equal", advice="None: it is for tests.")
def libraries(imported: list[str]) -> str:
    """What was imported?"""
    return " ".join(imported)


@hookimpl
def retspec_checks() -> list[Check]:
    return [others_met, waits, threads_left, libraries]


@hookimpl
def retspec_measurements() -> list[Measurement]:
    return [imported]

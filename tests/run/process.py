"""A plugin whose check tells which process measures."""

from __future__ import annotations

import os
import signal

from retspec.plugin import Check, check, hookimpl


@check(direction="at least", advice="None: it is for tests.")
def process_id(*, die: bool = False) -> int:
    """Which process is this?"""
    if die:
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


@hookimpl
def retspec_checks() -> list[Check]:
    return [process_id]

"""A plugin with one check that does harm between two that do none, and looking at what is left of it."""

from __future__ import annotations

import textwrap
import time
from typing import TYPE_CHECKING

from tests.processes import is_running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PLUGIN = '''
import ctypes
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from retspec.plugin import Check, Observed, Reporter, check, hookimpl


def note(name, text=""):
    """Write a file whole: somebody waits for it."""
    Path(name + ".part").write_text(str(text))
    Path(name + ".part").rename(name)


@check(direction="at most", advice="Nothing to do.")
def harmful() -> int:
    """What does it do to its process?"""
BODY
    return 0


@check(direction="at most", advice="Nothing to do.")
def sound() -> int:
    """What is one?"""
    return 1


@hookimpl
def retspec_checks() -> list[Check]:
    return [harmful, sound]
'''
CHECKS = "checks:\n  before: {check: sound, limit: 1}\n  harmful: HARMFUL\n  after: {check: sound, limit: 1}\n"


def plugin(body: str) -> dict[str, str]:
    """Return the files of a plugin whose check `harmful` does this."""
    return {"checks.py": PLUGIN.replace("BODY", textwrap.indent(textwrap.dedent(body).strip(), "    "))}


def spec(harmful: str = "0", head: str = "") -> str:
    """Return a spec with the harmful check between two sound ones; `head` is a line of YAML."""
    return f"retspec: 1\n{head}\n{CHECKS.replace('HARMFUL', harmful)}"


def wait_for(*names: str) -> Callable[[Path], None]:
    """Wait until these files are there."""

    def wait(folder: Path) -> None:
        _wait_until(lambda: all((folder / name).exists() for name in names), 120, f"no {names} in {folder}")

    return wait


def none_left(folder: Path) -> None:
    """Hold that no process is left whose id stands in the file `pids`, one per line."""
    pids = [int(pid) for pid in (folder / "pids").read_text().split()]
    assert pids
    _wait_until(lambda: not any(map(is_running, pids)), 60, f"of {pids}, some are left")


def _wait_until(condition: Callable[[], bool], seconds: float, complaint: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.02)

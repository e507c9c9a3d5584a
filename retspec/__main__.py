"""`python -m retspec`, and the console script of the same name."""

from __future__ import annotations

import gc
import os
import sys

from retspec.engine.fast_exit import FastExit
from retspec.engine.interrupts import importing

MADE = 100_000
"""Objects that are made before the garbage collector looks at them: more than a command for one spec makes.

By default there are 700, and looking for garbage among modules and records took an eighth of the time of a light
command."""


def main() -> int:
    """Run the command line in a process of its own, and return the exit code with which this will end."""
    gc.set_threshold(MADE)
    ending = FastExit()
    with importing():
        _open_closed_streams()
        from retspec.cli import main as command_line  # noqa: PLC0415

    status = command_line()
    ending.settle(status)
    return status


def _open_closed_streams() -> None:
    """Replace standard streams that the parent process had closed: no file of ours may get their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - it stays open


if __name__ == "__main__":
    sys.exit(main())

"""End a process without tearing it down first.

Before it ends, the interpreter frees its modules, and a model of gigabytes, one object after another. That is useless
work, and it takes a fifth of a light command's time, or seconds after a run.
"""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import suppress
from typing import NoReturn


class FastExit:
    """Ends the process at once, after its threads, its children and every other exit handler are done.

    Create it before any other exit handler is registered: atexit calls the first one last.
    """

    def __init__(self) -> None:
        self.status: int | None = None
        """The exit status; None leaves the end to the interpreter, which is about to report an exception."""
        atexit.register(self._end)

    def settle(self, exit_status: int) -> None:
        """Set the exit status for good: an exit handler of others that calls `os._exit` ends with it, too."""
        self.status, end = exit_status, os._exit

        def end_as_settled(status: int) -> NoReturn:  # noqa: ARG001 - the signature of what it replaces
            end(exit_status)

        os._exit = end_as_settled

    def _end(self) -> None:
        if self.status is not None:
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):  # full or closed: the status already reports that
                    stream.flush()
            os._exit(self.status)

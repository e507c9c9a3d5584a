"""What a training printed last, read back from where a worker's output goes."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress

_TAIL = 4000
"""Bytes that are read back."""
_LINES = 10
_STDERR = 2
"""Its file descriptor."""


class Printed:
    """Remembers where the output was, and reads what came after: a worker's standard error is a file."""

    def __init__(self) -> None:
        self._start = _size()

    def last_lines(self) -> tuple[str, ...]:
        """Return up to ten lines, without those before it began; none where standard error is no file to read."""
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):  # the training may have closed or replaced them
                stream.flush()
        end = _size()
        start = max(self._start, end - _TAIL)
        with suppress(OSError):
            lines = os.pread(_STDERR, end - start, start).decode(errors="replace").splitlines()
            return tuple(line for line in lines if line.strip())[-_LINES:]
        return ()


def _size() -> int:
    with suppress(OSError):
        status = os.fstat(_STDERR)
        return status.st_size if stat.S_ISREG(status.st_mode) else 0
    return 0

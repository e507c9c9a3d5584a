"""Read records from a worker's pipe: in linear time, bounded, and never long past a deadline.

The code under test can write to the pipe, so nothing that comes is trusted: neither its size nor that it ever ends.
"""

from __future__ import annotations

import os
import time

from retspec.engine.protocol import LARGEST

_CHUNK = 1 << 18
_OVERTIME = 0.5
"""Seconds in which records that came before a deadline are still read, from when it was noticed that it is over."""
_FEW = 100
"""Records that are read however long that takes: on a machine so busy that this process slept, a healthy worker must
not lose the outcomes that it sent in time. A flood has more."""


class RecordReader:
    """Cuts what comes from a pipe into lines."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._buffer = bytearray()
        self._searched = 0
        self._last_look = 0.0
        self._over, self._noticed = 0.0, 0.0
        """The latest deadline that was over, and when that was noticed."""
        self._since = 0
        """Lines since then."""

    def line(self, deadline: float) -> bytes | None:
        """Return the next line that has come, without waiting; None if there is none, or if it is too late for it.

        A line of more than `LARGEST` bytes comes in pieces of which the first is too large, too.

        deadline: on the monotonic clock.
        """
        if self._is_too_late(deadline):
            return None
        end = self._buffer.find(b"\n", self._searched)
        if end < 0 and len(self._buffer) <= LARGEST:
            self._searched = len(self._buffer)
            return None
        size = len(self._buffer) if end < 0 else end
        line = bytes(self._buffer[:size])
        del self._buffer[: size + 1]
        self._searched = 0
        self._since += 1
        return line

    def read(self, deadline: float) -> int:
        """Read what has come, without waiting; after a deadline once only. Return how many bytes it was."""
        now = time.monotonic()
        if now >= deadline:
            if self._last_look >= deadline:
                return 0
            self._last_look = now
        try:
            chunk = os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return 0
        self._buffer += chunk
        return len(chunk)

    def _is_too_late(self, deadline: float) -> bool:
        now = time.monotonic()
        if now <= deadline:
            return False
        if deadline != self._over:
            self._over, self._noticed, self._since = deadline, now, 0
        return self._since >= _FEW and now > self._noticed + _OVERTIME

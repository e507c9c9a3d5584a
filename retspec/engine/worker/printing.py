"""Whose output is whose: what is printed while something is made belongs to it.

The standard streams lead to two files of the supervisor. C code, child processes and the workers of a DataLoader have
the same ones, so nothing is redirected here: the worker only reports how far each file reached when something began and
ended. What a child prints later belongs to what is being made by then.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from retspec.engine.protocol import Printed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.engine.worker.channel import Sender


class Printing:
    """Reports what was printed by what; things that are made while others are keep their output to themselves."""

    def __init__(self, channel: Sender) -> None:
        self._channel = channel
        self._streams = [os.dup(descriptor) for descriptor in (1, 2)]  # the code under test may replace its own
        self._libc = ctypes.CDLL(None)
        self._sizes = (0, 0)
        self._made: list[str] = []

    @contextmanager
    def of(self, source: str) -> Iterator[None]:
        """Let what is printed belong to a measurement or a part of the subject."""
        self.report()
        self._made.append(source)
        try:
            yield
        finally:
            self.report()
            self._made.pop()

    def report(self) -> None:
        """Say whose output has come since the last report."""
        self._flush()
        sizes = (os.fstat(self._streams[0]).st_size, os.fstat(self._streams[1]).st_size)
        if sizes != self._sizes:
            self._channel.send(Printed(self._made[-1] if self._made else "", *sizes))
            self._sizes = sizes

    def _flush(self) -> None:
        """Write what the buffers of Python and of the C library hold."""
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # the code under test may have closed it, or put anything in its place
                stream.flush()
        self._libc.fflush(None)

    def close(self) -> None:
        """Give back the descriptors."""
        for stream in self._streams:
            os.close(stream)


def print_by_lines() -> None:
    """Let Python write each line at once, as on a terminal: what waits in a buffer is lost in a crash."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a TextIOWrapper at the start of a process

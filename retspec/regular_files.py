"""Read files that others made: no pipe that nobody fills, no device without an end, nothing beyond a size."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path


class NotRegularError(OSError):
    """A path leads to a pipe, a socket or a device."""

    def __str__(self) -> str:
        """The sentence alone."""
        return str(self.strerror)


def open_regular(path: Path) -> BufferedReader:
    """Open a file to read it; its size is known, and reading it comes to an end.

    Raises NotRegularError for what is no file, and OSError or ValueError for a path that cannot be opened.
    """
    # Without O_NONBLOCK, opening a named pipe waits until somebody writes to it.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    raise NotRegularError(errno.EINVAL, "it is not a regular file; save what it gives to one")


def read_regular(path: Path, most: int) -> bytes | None:
    """Return the content of a file, or None if it has more than so many bytes. Raises what `open_regular` raises."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        content = file.read(min(size, most) + 1)  # `read` takes as much memory as it may need, if only for a moment
        if len(content) > size:  # a file that grows, or one in /proc, whose size reads as 0
            content += file.read(most + 1 - len(content))
    return None if len(content) > most else content

"""Read files that others made: no pipe that nobody fills, no device without an end, nothing beyond a size."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path
    from typing import IO


class NotRegularError(OSError):
    """A path leads to a pipe, a socket or a device."""

    def __str__(self) -> str:
        """The sentence alone."""
        return str(self.strerror)


class Part(NamedTuple):
    """Some bytes of a file that are a file by themselves, as the members of a tar archive are."""

    path: Path
    """The file that holds them."""
    start: int
    size: int
    name: str
    """What messages call it."""

    def __str__(self) -> str:
        """The name."""
        return self.name

    def read(self) -> bytes:
        """Return the bytes; raises EOFError where the file ends before them."""
        with open_regular(self.path) as whole:
            whole.seek(self.start)
            content = whole.read(self.size)
        if len(content) < self.size:
            raise EOFError(f"{self.path.name} ends before it")
        return content


def open_content(content: str | Path | Part) -> IO[bytes]:
    """Open a file, or a part of one, to read it. Raises what `open_regular` raises, and EOFError."""
    return BytesIO(content.read()) if isinstance(content, Part) else open_regular(content)


def read_content(content: str | Path | Part, most: int) -> bytes | None:
    """Return the bytes of a file, or of a part of one; None if there are more than so many."""
    if isinstance(content, Part):
        return None if content.size > most else content.read()
    return read_regular(content, most)


def open_regular(path: str | Path) -> BufferedReader:
    """Open a file to read it; its size is known, and reading it comes to an end.

    Raises NotRegularError for what is no file, and OSError or ValueError for a path that cannot be opened.
    """
    return os.fdopen(_opened(path), "rb")


def _opened(path: str | Path) -> int:
    # Without O_NONBLOCK, opening a named pipe waits until somebody writes to it.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    raise NotRegularError(errno.EINVAL, "it is not a regular file; save what it gives to one")


def read_regular(path: str | Path, most: int) -> bytes | None:
    """Return the content of a file, or None if it has more than so many bytes. Raises what `open_regular` raises."""
    with os.fdopen(_opened(path), "rb", buffering=0) as file:  # a buffer takes longer than reading a small image
        size = os.fstat(file.fileno()).st_size
        content = file.read(min(size, most) + 1)  # `read` takes as much memory as it may need, if only for a moment
        if len(content) != size:  # a file that grows, one in /proc, whose size reads as 0, or a read that gives less
            while len(content) <= most and (more := file.read(most + 1 - len(content))):
                content += more
    return None if len(content) > most else content


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file. Raises what `open_regular` raises."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""The files that a worker's standard streams lead to, and reading them: bounded, without secrets, safe to show."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from typing import IO, TYPE_CHECKING

from retspec.characters import visible
from retspec.engine.supervisor.holes import punch_hole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retspec.text.masking import Mask

KEPT = 16 * 1024
"""Bytes that are kept of the begin, and of the end, of what one thing prints to one stream."""
TAIL = 4000
"""Bytes of the worker's standard error that a report keeps."""
MOST_ON_DISK = 1024**3
"""Bytes of the disk that the streams of a worker may take."""
_BORDER = 1024 * 1024
"""Bytes of the begin, and of the end, of a long piece that stay on the disk: more than is ever read."""
_LOOK = 0.2
"""Seconds between two looks at how long the files are."""
_CUT_CHARACTER = 4
"""Characters that half a character in UTF-8 is read as, at most."""
_STANDARD_ERROR = 2

Span = tuple[int, int]
"""Where a piece of a file begins and ends, in bytes."""


class FloodError(Exception):
    """A worker printed more than the disk should hold."""


class Streams:
    """Standard output and standard error of one worker.

    live: both go to this process's standard error, as they come, and nothing is kept.
    """

    def __init__(self, *, live: bool = False) -> None:
        self._files: list[IO[bytes]] = [] if live else [_appending_file(), _appending_file()]
        self._read = [0, 0]
        self._released = [0, 0]
        self._last_look = 0.0

    @property
    def descriptors(self) -> tuple[int, int]:
        """What the worker gets as its standard output and standard error."""
        if not self._files:
            return _STANDARD_ERROR, _STANDARD_ERROR
        return self._files[0].fileno(), self._files[1].fileno()

    def until(self, *sizes: int) -> list[Span]:
        """Return what comes next of each file, up to these sizes; a size is the worker's word, and only that.

        A child may truncate a file. If the worker saw it shorter than before, all of it is new, however long it has
        become since; if it is shorter than the worker saw it, what it saw is gone.
        """
        spans: list[Span] = []
        for index, (size, there) in enumerate(zip(sizes, self._sizes(), strict=False)):
            start = self._read[index] if self._read[index] <= min(size, there) else 0
            spans.append((start, size) if start <= size <= there else (0, 0))
            self._read[index] = spans[-1][1]
        self._released = [0, 0]
        for file, (start, end) in zip(self._files, spans, strict=False):
            punch_hole(file, start + _BORDER, end - _BORDER)
        return spans

    def release(self) -> None:
        """Give back to the disk what nobody will read: the middle of a long piece that is still being printed.

        Raises FloodError if the files take more of the disk than `MOST_ON_DISK`.
        """
        if time.monotonic() < self._last_look + _LOOK:
            return
        self._last_look = time.monotonic()
        for index, (file, size) in enumerate(zip(self._files, self._sizes(), strict=True)):
            start = max(self._read[index] + _BORDER, self._released[index])
            if punch_hole(file, start, size - _BORDER):
                self._released[index] = size - _BORDER
        if sum(os.fstat(file.fileno()).st_blocks for file in self._files) * 512 > MOST_ON_DISK:
            raise FloodError

    def rest(self) -> list[Span]:
        """Return all of each file that `until` did not reach."""
        return self.until(*self._sizes())

    def tail(self) -> str:
        """Return the last words on the standard error; the first of them may be cut, and a secret with it."""
        if not self._files:
            return ""
        _, size = self._sizes()
        most = TAIL + _BORDER // 2
        return os.pread(self._files[1].fileno(), most, max(0, size - most)).decode(errors="replace")

    def text(self, stream: int, spans: Iterable[Span], mask: Mask) -> str:
        """Return pieces of a file as one text; of a long one its begin, its end, and how much is left out.

        stream: 0 for the standard output, 1 for the standard error.
        """
        pieces = [span for span in spans if span[0] < span[1]]
        if not pieces:
            return ""
        size = sum(end - start for start, end in pieces)
        # A secret that a cut goes through is found in neither half. So more is read, masked, and then cut off.
        margin = mask.longest + _CUT_CHARACTER
        read = KEPT + margin
        if size <= 2 * read:
            return mask.text(visible(self._bytes(stream, pieces).decode(errors="replace")))
        head = mask.text(visible(self._bytes(stream, _first(pieces, read)).decode(errors="replace")))
        tail = mask.text(visible(self._bytes(stream, _last(pieces, read)).decode(errors="replace")))
        return f"{head[:-margin]}\n[{size - 2 * KEPT:,} bytes left out]\n{tail[margin:]}"

    def close(self) -> None:
        """Drop the files."""
        for file in self._files:
            file.close()

    def _sizes(self) -> list[int]:
        return [os.fstat(file.fileno()).st_size for file in self._files]

    def _bytes(self, stream: int, spans: Iterable[Span]) -> bytes:
        descriptor = self._files[stream].fileno()
        return b"".join(os.pread(descriptor, end - start, start) for start, end in spans)


def _appending_file() -> IO[bytes]:
    """Return a temporary file whose writers all write at its end, however many there are."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
    flags = fcntl.fcntl(file, fcntl.F_GETFL)
    fcntl.fcntl(file, fcntl.F_SETFL, flags | os.O_APPEND)
    return file


def _first(spans: Iterable[Span], size: int) -> list[Span]:
    """Return the first bytes of several pieces."""
    chosen: list[Span] = []
    for start, end in spans:
        taken = min(size, end - start)
        chosen.append((start, start + taken))
        size -= taken
    return chosen


def _last(spans: list[Span], size: int) -> list[Span]:
    """Return the last bytes of several pieces."""
    chosen: list[Span] = []
    for start, end in reversed(spans):
        taken = min(size, end - start)
        chosen.insert(0, (end - taken, end))
        size -= taken
    return chosen

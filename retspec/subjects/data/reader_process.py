"""A process that reads images beside this one, since Python runs one thread at a time.

Pillow's decoders do not hold the interpreter's lock, but what is done around them does: for small images, all of it.
`concurrent.futures.ProcessPoolExecutor` does not serve here: its processes run the main module again
(https://docs.python.org/3/library/multiprocessing.html#the-spawn-and-forkserver-start-methods), which may be anyone's
script or notebook, or are forked from a process with threads.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retspec.subjects.data.addresses import Address
    from retspec.subjects.data.reading import Reading, Seen

_ROOT = str(Path(__file__).resolve().parents[3])
"""The folder that this copy of retspec is in."""


class ReaderProcess:
    """Reads images in a process of its own, as far as that sees them clearly, and the others in this one.

    So all that depends on this process is as it is without: what a decoder of the user reads, what warnings are shown,
    what happens where memory ends. The process is in this process's group, which is what the supervisor ends, and ends
    with its input, so that it never outlives this one.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._has_started = False
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # it inherits that: Ctrl-C is for this one
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
                # -P: a file in the working directory must not replace a module of the standard library.
                [sys.executable, "-P", "-m", "retspec.subjects.data.reader", *(str(int(each)) for each in reading)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), _ROOT]))},
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._stirs = select.poll()
        self._stirs.register(self._answers, select.POLLIN)

    def read(self, part: Sequence[Address]) -> list[Seen]:
        """Return what is seen of each image; all are read in this process while the other one starts, or is dead."""
        return [seen or self._reading.of(address) for seen, address in zip(self._of(part), part, strict=True)]

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        with suppress(BrokenPipeError), self._process:  # which closes its pipes and waits for its end
            pass

    def has_started(self, seconds: float = 0) -> bool:
        """Whether the process reads images, after so many seconds at most."""
        if not self._has_started and self._stirs.poll(seconds * 1000):
            self._has_started = not self._answer()
        return self._has_started

    def _of(self, part: Sequence[Address]) -> Sequence[Seen | None]:
        """Return what the process sees of each image, with None where this one must look."""
        try:
            if self.has_started():
                pickle.dump(part, self._requests)
                self._requests.flush()
                return self._answer()
        except (OSError, EOFError, pickle.UnpicklingError):
            self._has_started = False
        return [None] * len(part)

    def _answer(self) -> list[Seen | None]:
        answer: list[Seen | None] = pickle.load(self._answers)  # noqa: S301 - what our own module wrote
        return answer

    @property
    def _requests(self) -> IO[bytes]:
        assert self._process.stdin is not None  # noqa: S101 - narrows the type; it is a pipe
        return self._process.stdin

    @property
    def _answers(self) -> IO[bytes]:
        assert self._process.stdout is not None  # noqa: S101 - likewise
        return self._process.stdout

"""A process that reads images beside this one, since Python runs one thread at a time.

Pillow's decoders do not hold the interpreter's lock, but what is done around them does: for small images, all of it.
`concurrent.futures.ProcessPoolExecutor` does not serve here: its processes run the main module again
(https://docs.python.org/3/library/multiprocessing.html#the-spawn-and-forkserver-start-methods), which may be anyone's
script or notebook, or are forked from a process with threads.
"""

from __future__ import annotations

import os
import pickle
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
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # it inherits that: Ctrl-C is for this one
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
                # -P: a file in the working directory must not replace a module of the standard library.
                [sys.executable, "-P", "-m", "retspec.subjects.data.reader", str(reading.limit)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), _ROOT]))},
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def read(self, part: Sequence[Address]) -> list[Seen]:
        """Return what is seen of each image; if the process is dead, all are read in this one."""
        answers = self._answers(part)
        return [seen or self._reading.of(address) for seen, address in zip(answers, part, strict=True)]

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        with suppress(BrokenPipeError), self._process:  # which closes its pipes and waits for its end
            pass

    def _answers(self, part: Sequence[Address]) -> Sequence[Seen | None]:
        assert self._process.stdout is not None  # noqa: S101 - narrows the type; it is a pipe
        try:
            pickle.dump(part, self._requests)
            self._requests.flush()
            found: list[Seen | None] = pickle.load(self._process.stdout)  # noqa: S301 - what our own module wrote
        except (OSError, EOFError, pickle.UnpicklingError):
            return [None] * len(part)
        return found

    @property
    def _requests(self) -> IO[bytes]:
        assert self._process.stdin is not None  # noqa: S101 - narrows the type; it is a pipe
        return self._process.stdin

"""The worker as an operating system process: its own session, a private pipe, a bounded time to end."""

from __future__ import annotations

import os
import secrets
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from retspec.engine.interrupts import raise_if_interrupted
from retspec.engine.protocol import encode
from retspec.engine.supervisor import orphans
from retspec.engine.supervisor.guard import Guard
from retspec.engine.supervisor.record_reader import RecordReader
from retspec.engine.supervisor.streams import Streams
from retspec.errors import RetspecError
from retspec.processes import Process, descendants, kill

if TYPE_CHECKING:
    from threading import Event

    from retspec.engine.protocol import Instruction

GRACE = 5.0
"""Seconds between asking the worker to end and killing it."""
PARTING = 15.0
"""Seconds that a worker has to end after its last job: far more than it needs, because a busy machine must not fail a
healthy run."""
LAST_WORDS = 500
"""Characters at the end of standard error in which a dying process reports its error."""
NO_MEMORY = ("MemoryError", "std::bad_alloc", "annot allocate memory", "failed to map segment", "emory allocation")
"""How Python, C++, the C library, its loader and OpenBLAS report that an allocation failed."""
LOOK = 0.2
"""Seconds between two looks at whether a silent worker still lives."""


class Stopped(BaseException):
    """The worker is no longer needed; not an Exception, so that no `except Exception` swallows it."""


@dataclass(frozen=True)
class WorkerExit:
    """How a worker ended, in words, and the end of its standard error."""

    cause: str
    stderr: str

    @property
    def lacked_memory(self) -> bool:
        """Whether its standard error ends with a failed allocation that Python could not turn into an exception."""
        return any(words in self.stderr[-LAST_WORDS:] for words in NO_MEMORY)


class WorkerProcess:
    """Runs a worker; closing it ends the worker and all that it started, and so does the end of this process.

    stop: set by another thread once the worker is no longer needed.
    live_output: what it prints is shown at once, and not kept.
    Raises RetspecError if the system cannot start a process.
    """

    def __init__(self, stop: Event, *, live_output: bool = False) -> None:
        self._stop = stop
        self._mark = secrets.token_hex(16)
        self._descendants: frozenset[Process] = frozenset()
        """What the worker had started when it was last looked at."""
        self.streams = Streams(live=live_output)
        try:
            self._start()
        except OSError as error:
            raise RetspecError(f"cannot start a worker: {error.strerror or error}") from error
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._records, selectors.EVENT_READ)
        self._reader = RecordReader(self._records)

    def _start(self) -> None:
        stdout, stderr = self.streams.descriptors
        self._records, worker_end = os.pipe()
        self._process = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
            # -P: a file in the working directory must not replace a module of the standard library.
            [sys.executable, "-P", "-m", "retspec.engine.worker", str(worker_end)],
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=stderr,
            pass_fds=[worker_end],
            start_new_session=True,
            env=_environment(self._mark),
        )
        os.close(worker_end)
        self._guard = Guard(
            self._process.pid, self._mark
        )  # before the job is sent: until then the worker starts nothing

    def send(self, instruction: Instruction) -> None:
        """Send an instruction; the first read notices a dead worker."""
        with suppress(BrokenPipeError):
            self._instructions.write(encode(instruction))
            self._instructions.flush()

    def close(self) -> None:
        """End the worker and release its resources."""
        self.end()
        self._guard.dismiss()
        self._selector.close()
        os.close(self._records)
        with suppress(BrokenPipeError):
            self._instructions.close()
        self.streams.close()

    @property
    def is_alive(self) -> bool:
        """Whether the worker still runs."""
        return self._process.poll() is None

    def read_line(self, deadline: float) -> bytes | None:
        """Return the next record, or None if the worker has ended or the deadline (monotonic clock) is over.

        Raises Interrupted, Stopped, or FloodError if it printed more than the disk should hold.
        """
        self._raise_if_unwanted()
        while (line := self._reader.line(deadline)) is None:
            self.streams.release()
            alive = self.is_alive  # before the read: what was written before the end is still there after it
            is_late = time.monotonic() >= deadline  # likewise
            if self._selector.select(max(0.0, min(LOOK, deadline - time.monotonic()))):
                if self._reader.read(deadline):
                    continue
                time.sleep(LOOK / 20)
            self._raise_if_unwanted()
            if not alive or is_late:
                return None
        return line

    def finish(self) -> str:
        """Wait for the end of a worker that has no more jobs; return what went wrong with it, or an empty string."""
        self._descendants = descendants(self._process.pid)
        with suppress(BrokenPipeError):
            self._instructions.close()
        try:
            status = self._process.wait(PARTING)
        except subprocess.TimeoutExpired:
            self.end()
            return "the worker measured everything, but it did not end: a thread or a child of it was left running"
        return "" if status == 0 else f"the worker measured everything, but it {describe_status(status)}"

    def end(self) -> WorkerExit:
        """End the worker and all that it started: ask, wait, kill. Return how the worker itself ended."""
        if self.is_alive:
            self._descendants |= descendants(self._process.pid)
            self._signal(signal.SIGTERM)
            try:
                self._process.wait(GRACE)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
        status = self._process.wait()
        self._signal(signal.SIGKILL)  # children that outlived it
        kill(self._descendants)
        orphans.kill_marked(self._mark)
        return WorkerExit(describe_status(status), self.streams.tail())

    @property
    def _instructions(self) -> IO[bytes]:
        assert self._process.stdin is not None  # noqa: S101 - narrows the type; it is a pipe
        return self._process.stdin

    def _raise_if_unwanted(self) -> None:
        raise_if_interrupted()
        if self._stop.is_set():
            raise Stopped

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def describe_status(status: int) -> str:
    """Return an exit status in words."""
    if status >= 0:
        return f"exited with status {status} before it was done"
    names = {number.value: number.name for number in signal.Signals}
    name = names.get(-status, f"signal {-status}")  # most real-time signals have no name
    hint = ", probably because memory ran out" if -status == signal.SIGKILL else ""
    return f"was killed by {name}{hint}"


def _environment(mark: str) -> dict[str, str]:
    """Return the environment of a worker: what CUDA needs to be repeatable, this copy of retspec, a mark."""
    package_parent = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), package_parent]))
    return {"CUBLAS_WORKSPACE_CONFIG": ":4096:8", **os.environ, "PYTHONPATH": path, orphans.MARK: mark}

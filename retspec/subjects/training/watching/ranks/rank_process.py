"""A rank as a process: its pipes, its last words, its end."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING

import msgspec

from retspec.characters import one_line
from retspec.processes import cpu_seconds, descendants, kill
from retspec.subjects.training.watching.ranks.messages import COMPARE, Job, Message, Step, decode, encode
from retspec.subjects.training.watching.world import variables

if TYPE_CHECKING:
    from contextlib import ExitStack

    from retspec.subjects.training.watching.rerun import Rerun

PARTING = 10.0
"""Seconds that a rank has to end when it is no longer needed."""
_LAST = 2000
"""Characters at the end of what it printed in which its last line is looked for."""


class RankProcess:
    """Runs a rank in this process group, which is what the supervisor ends; closing it ends the rank."""

    @staticmethod
    def start_all(launched: Rerun, ranks: int, port: int, stack: ExitStack) -> list[RankProcess]:
        """Start all ranks; they end with the stack."""
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(ranks)]  # noqa: SIM115 - it is one
        records = tuple(file.fileno() for file in files)
        started = []
        for rank in range(ranks):
            started.append(RankProcess(launched, rank, variables(rank, ranks, port), records))
            stack.callback(started[-1].close)
        return started

    def __init__(self, launched: Rerun, rank: int, environment: dict[str, str], records: tuple[int, ...]) -> None:
        self.rank = rank
        self.steps = 0
        self.longest_step = 0.0
        """Seconds between two of its steps."""
        self.has_ended = False
        """Whether it has come to its end, and waits to be let go."""
        self._stepped_at: float | None = None
        self._printed: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the rank
        self.answers, answering = os.pipe()
        ordered, self._orders = os.pipe()
        self._buffer = b""
        self.is_at_end = False
        self._process = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
            [sys.executable, "-m", f"{__package__}.rank"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._printed,
            pass_fds=[answering, ordered, *records],
            env={**os.environ, **environment, "CUDA_VISIBLE_DEVICES": ""},
        )
        os.close(answering)
        os.close(ordered)
        os.set_blocking(self.answers, False)
        job = Job(msgspec.to_builtins(launched), rank, records, answering, ordered)
        assert self._process.stdin is not None  # noqa: S101 - narrows the type; it is a pipe
        with suppress(BrokenPipeError), self._process.stdin as told:
            told.write(encode(job))

    @property
    def is_alive(self) -> bool:
        """Whether the rank still runs."""
        return self._process.poll() is None

    @property
    def cpu_seconds(self) -> float:
        """Seconds that it has computed so far; 0 where there is no `/proc`."""
        return cpu_seconds(self._process.pid)

    def read(self) -> list[Message]:
        """Return what it has said since the last time."""
        while chunk := self._chunk():
            self._buffer += chunk
        *lines, self._buffer = self._buffer.split(b"\n")
        messages = [decode(line) for line in lines]
        for message in messages:
            if isinstance(message, Step):
                now = time.monotonic()
                self.longest_step = max(self.longest_step, now - (self._stepped_at or now))
                self.steps, self._stepped_at = message.taken, now
        return messages

    def _chunk(self) -> bytes:
        try:
            chunk = os.read(self.answers, 1 << 16)
        except BlockingIOError:
            return b""
        self.is_at_end = not chunk
        return chunk

    def compare(self) -> None:
        """Ask it to compare the gradients of all."""
        with suppress(BrokenPipeError):
            os.write(self._orders, COMPARE)

    @property
    def last_line(self) -> str:
        """The last line that it printed to standard error; empty when there is none."""
        size = self._printed.seek(0, os.SEEK_END)
        self._printed.seek(max(0, size - _LAST))
        lines = self._printed.read().decode(errors="replace").split("\n")
        return one_line(next((line for line in reversed(lines) if line.strip()), ""))

    @property
    def death(self) -> str:
        """How it died, as the end of a sentence."""
        status = self._process.wait()
        how = f"ended with exit code {status}" if status >= 0 else f"was killed by signal {-status}"
        last = self.last_line
        return f"{how} after {self.steps} optimizer steps{f': {last}' if last else ''}"

    def close(self) -> None:
        """End it: by itself if it has come to its end, else by force, with all that it started."""
        os.close(self._orders)
        try:
            self._process.wait(PARTING if self.has_ended else 0)
        except subprocess.TimeoutExpired:
            # The workers of a DataLoader would also end by themselves, some seconds after their process:
            # https://github.com/pytorch/pytorch/blob/main/torch/utils/data/_utils/worker.py
            started = descendants(self._process.pid)
            self._process.kill()
            kill(started)
            self._process.wait()
        os.close(self.answers)
        self._printed.close()

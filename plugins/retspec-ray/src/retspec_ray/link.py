"""The front end's end of the line to the driver, the process that has Ray."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from retspec.executors import EngineError
from retspec.plugin import one_line

from retspec_ray.records import Failure

_START = 90.0
"""Seconds that the driver may take to import Ray and to connect."""
_ANSWER = 60.0
"""Seconds that an answer may take."""
_LONGEST = 300
"""Characters of a message from Ray."""
_ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_LOG_TO_STDERR": "0", "PYTHONWARNINGS": "ignore"}


class Link:
    """A driver that is started by the first question, and again after it was lost: the desks are on the cluster.

    It ends when this process does, however that ends.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._connection: Connection | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the driver writes to it

    def ask(self, method: str, *arguments: Any, more: float = 0.0) -> Any:
        """Return the answer of a method of the driver; raises EngineError if there is none.

        more: seconds that it may take beyond those of any answer.
        """
        connection = self._connection or self._start()
        try:
            connection.send((method, arguments))
        except OSError:
            raise EngineError(self._lost()) from None
        return self._answer(connection, _ANSWER + more)

    def _start(self) -> Connection:
        here, there = socket.socketpair()
        self._said.seek(0)  # the driver writes where this file is
        self._said.truncate()
        with there:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                # -P: a file `ray.py` in the working directory is not Ray.
                [sys.executable, "-P", "-m", "retspec_ray.driver", str(there.fileno()), self._address],
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                pass_fds=[there.fileno()],
                env={**os.environ, **_ENVIRONMENT},
                start_new_session=True,  # Ctrl-C is the front end's: it still has to cancel the tasks
            )
        self._connection = Connection(here.detach())
        self._answer(self._connection, _START)
        return self._connection

    def _answer(self, connection: Connection, seconds: float) -> Any:
        try:
            if not connection.poll(seconds):
                self._end()
                raise EngineError(f"Ray at {self._address} gave no answer for {seconds:.0f} s")
            answer = connection.recv()
        except (EOFError, OSError):
            raise EngineError(self._lost()) from None
        if isinstance(answer, Failure):
            raise EngineError(one_line(answer.sentence)[:_LONGEST])
        return answer

    def _lost(self) -> str:
        self._end()
        self._said.seek(0)
        lines = [line for line in self._said.read().decode(errors="replace").splitlines() if line.strip()]
        why = f": {one_line(lines[-1])[:_LONGEST]}" if lines else ""
        return f"the connection to Ray at {self._address} was lost{why}"

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()
        self._connection = self._process = None

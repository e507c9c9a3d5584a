"""Programs of ours that have torch already: forked from one that imported it, where a fresh start is not the point.

`python -m retspec.…` spends three seconds on imports before it does anything with a tiny model. Within `warm_programs`,
such a program is a fork of one that has imported torch and has done nothing since (`tests/warm_starter.py`). It is a
process like any other: a child of this one, with its own arguments, environment, folder, descriptors, session, random
numbers, signals and exit code. Only what Python and torch read from the environment while they start is as it was
then. Linux alone lets a process adopt another one's child; elsewhere, and where coverage has to see how programs start,
they start as ever.
"""

from __future__ import annotations

import atexit
import ctypes
import json
import os
import re
import socket
import subprocess
import sys
from contextlib import contextmanager
from functools import cache
from inspect import signature
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import pytest

from tests.signals import hear_signals

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES = re.compile(r"retspec(\.engine\.worker|\.subjects\.training\.watching\..*)?")
"""What is forked: the command line, and what imports torch."""
MOST = 1 << 17
"""Bytes of a message."""
SET_CHILD_SUBREAPER = 36  # https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
PIPES = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")


@pytest.fixture
def warm_programs() -> Iterator[None]:
    """Fork the programs that a test starts."""
    with forked_programs():
        yield


@contextmanager
def forked_programs() -> Iterator[None]:
    """Fork programs of ours from one that has imported all of them."""
    if sys.platform != "linux" or any(name.startswith("COVERAGE_PROCESS_") for name in os.environ):
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", WarmPopen)
        yield


class WarmPopen(subprocess.Popen[Any]):
    """Lets the starter fork programs of ours, and starts all else as ever."""

    def _execute_child(self, *given: Any) -> None:
        # Its parameters by name: https://github.com/python/cpython/blob/3.11/Lib/subprocess.py
        start = super()._execute_child  # type: ignore[misc]
        call = signature(start).bind(*given).arguments
        program = _program(call["args"])
        if program is None or call["preexec_fn"] not in {None, hear_signals}:
            start(*given)
            return
        pipes = [call[name] for name in PIPES]
        streams = [own if end == -1 else end for own, end in enumerate((pipes[0], pipes[3], pipes[5]))]
        folder = str(Path(call["cwd"] or ".").absolute())
        request = {
            "program": program,
            "folder": folder,
            "first_on_path": [] if "-P" in call["args"] else [folder],
            "environment": dict(os.environ if call["env"] is None else call["env"]),
            "descriptors": [0, 1, 2, *call["pass_fds"]],
            "session": call["start_new_session"],
        }
        self.pid = _starter().start(request, [*streams, *call["pass_fds"]])
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]


def _program(command: Any) -> list[str] | None:
    """Return the module that a command line runs, and its arguments, if it is one of ours."""
    if not isinstance(command, list) or command[0] != sys.executable or "-m" not in command:
        return None
    program = command[command.index("-m") + 1 :]
    return program if MODULES.fullmatch(program[0]) else None


@cache
def _starter() -> _Starter:
    """Return the one of this process; what it has imported serves the tests of all modules."""
    return _Starter()


class _Starter:
    """The process that forks the programs, until the end of the tests."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tests.warm_starter", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
                preexec_fn=hear_signals,  # noqa: PLW1509 - no thread here holds a lock
            )
        atexit.register(self._close)

    def start(self, request: dict[str, Any], descriptors: list[int]) -> int:
        """Return the number of a new process, a child of this one; several lanes may ask at a time."""
        with self._lock, _adopting_orphans():
            socket.send_fds(self._channel, [json.dumps(request).encode()], descriptors)
            return int(self._channel.recv(MOST))

    def _close(self) -> None:
        self._channel.close()
        self._process.wait(60)


@contextmanager
def _adopting_orphans() -> Iterator[None]:
    """Become the parent of descendants whose own parent ends: of a program, when what has forked it ends at once."""
    library = ctypes.CDLL(None)
    library.prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        library.prctl(SET_CHILD_SUBREAPER, 0, 0, 0, 0)

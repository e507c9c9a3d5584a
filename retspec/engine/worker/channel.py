"""The worker's end of the private pipe to its supervisor."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Protocol

from retspec.engine.protocol import LARGEST, Finished, encode
from retspec.errors import NoVerdict

if TYPE_CHECKING:
    from retspec.engine.protocol import Message


class Sender(Protocol):
    """What a job sends its records to."""

    def send(self, message: Message) -> None:
        """Send a record; raises NoVerdict for one that is too large."""


class Channel:
    """Writes records to the pipe, each of them at once and complete.

    Records from a process that the code under test forks are dropped. A fork that returns from its check as a second
    worker ends there: it would measure the rest a second time.
    """

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - positional in the standard library
        self._descriptor = descriptor
        self._owner = os.getpid()
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Send a record; raises NoVerdict for one that is too large."""
        if os.getpid() != self._owner:
            if isinstance(message, Finished):
                os._exit(1)
            return
        line = record_of(message)
        with self._lock:
            while line:
                line = line[os.write(self._descriptor, line) :]


def record_of(message: Message) -> bytes:
    """Return a message as one line; raises NoVerdict for one that is too large."""
    line = encode(message)
    if len(line) > LARGEST:
        raise NoVerdict(f"what it gave takes {len(line) / 2**20:,.0f} MiB; a record holds at most {LARGEST // 2**20}")
    return line

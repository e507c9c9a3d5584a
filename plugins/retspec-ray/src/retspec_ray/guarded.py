"""A command whose guard ends it, with all that it started, when this process says so, or ends."""

from __future__ import annotations

import select
import subprocess
import sys
from typing import TYPE_CHECKING, Self

from retspec.executors import OUTPUT

from retspec_ray import guard

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType


class Guarded:
    """A command that runs in a folder, and prints to the file OUTPUT of the folder of its task.

    On leaving it, it has ended, and the folder of the task is removed.
    """

    def __init__(self, command: Sequence[str], cwd: Path, folder: Path) -> None:
        self._guard = subprocess.Popen(  # noqa: S603 - our own file
            [sys.executable, "-I", "-S", guard.__file__, str(folder), str(folder / OUTPUT), *command],
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._guard.wait()  # it has left a child, which is no child of this process

    def wait(self, seconds: float) -> str | None:
        """Return what ended the command, an empty string if it ended by itself, or None after some seconds."""
        pipe = self._guard.stdout
        if pipe is None or not select.select([pipe], [], [], seconds)[0]:
            return None
        said = pipe.readline().decode().strip()
        status = int(said) if said else None
        if status is None:
            return "its guard was killed"
        return f"killed by signal {-status}" if status < 0 else ""

    def end(self) -> None:
        """End the command with everything that it started, and wait for that."""
        if self._guard.stdin and not self._guard.stdin.closed:
            self._guard.stdin.write(b"\n")
            self._guard.stdin.flush()
        if self._guard.stdout:
            self._guard.stdout.readline()

    def __enter__(self) -> Self:
        """Do nothing: it runs already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the guard end what is left, and wait until the folder is gone."""
        if self._guard.stdin:
            self._guard.stdin.close()
        if self._guard.stdout:
            self._guard.stdout.read()
            self._guard.stdout.close()

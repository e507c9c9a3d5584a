"""The guard: a process that outlives a killed supervisor for a moment, to end what the worker started.

A supervisor that is killed cleans nothing up, and no system ends the grandchildren of a dead process by itself. So a
shell waits beside each worker for the end of a pipe that only the supervisor holds.
"""

from __future__ import annotations

import subprocess

SCRIPT = 'trap "" HUP INT TERM; read -r end; kill -s KILL -- "-$1"'
"""Waits for the end of its input, then kills the process group that its argument names."""


class Guard:
    """Kills a process group when this process ends without having dismissed it."""

    def __init__(self, group: int) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - a fixed script
            ["/bin/sh", "-c", SCRIPT, "sh", str(group)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # A signal to the supervisor's group, Ctrl-C or a KILL, must not reach it.
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """End the guard: the group is gone, and its number may soon belong to another process."""
        self._process.kill()
        self._process.communicate()

"""The guard: a process that briefly outlives a killed supervisor, to end what the worker started.

A killed supervisor cannot clean up, and the operating system does not end the grandchildren of a dead process. So a
shell runs beside each worker and waits for the end of a pipe that only the supervisor holds open.
"""

from __future__ import annotations

import subprocess

SCRIPT = 'trap "" HUP INT TERM; read -r end; kill -s KILL -- "-$1"'
"""Waits for the end of its input, then kills the process group that its argument names."""


class Guard:
    """Kills a process group if this process ends without dismissing the guard."""

    def __init__(self, group: int) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - a fixed script
            ["/bin/sh", "-c", SCRIPT, "sh", str(group)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # A signal to the supervisor's group, such as Ctrl-C or a KILL, must not reach the guard.
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """End the guard: the group is gone, and the system may give its number to another one."""
        self._process.kill()
        self._process.communicate()

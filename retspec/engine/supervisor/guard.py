"""The guard: a process that briefly outlives a killed supervisor, to end what the worker started.

A killed supervisor cannot clean up, and the operating system does not end the grandchildren of a dead process. So a
shell runs beside each worker and waits for the end of a pipe that only the supervisor holds open.
"""

from __future__ import annotations

import subprocess

from retspec.engine.supervisor.orphans import MARK

SCRIPT = """
trap "" HUP INT TERM
read -r end
kill -s KILL -- "-$1"
for each in /proc/[0-9]*; do
  tr '\\0' '\\n' <"$each/environ" | grep -qx "$2" && kill -s KILL "${each#/proc/}"
done
"""
"""Waits for the end of its input, then kills the process group that its first argument names, and, on Linux, every
process whose environment holds the second."""


class Guard:
    """Kills a process group, and what inherited a mark, if this process ends without dismissing the guard."""

    def __init__(self, group: int, mark: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - a fixed script
            ["/bin/sh", "-c", SCRIPT, "sh", str(group), f"{MARK}={mark}"],
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

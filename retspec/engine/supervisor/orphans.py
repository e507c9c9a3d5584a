"""What a worker started and what has left its process group: by `setsid`, `setpgid`, or a fork whose parent ends.

Linux alone shows it. A worker adopts its orphans (`adopt_orphans`), so that its descendants stay in one tree while it
lives; and each of them inherits a mark in its environment, by which it is found after the worker's death.
"""

from __future__ import annotations

import sys

from retspec.processes import kill, marked

MARK = "RETSPEC_WORKER"
"""The environment variable that marks what a worker started."""
_SET_CHILD_SUBREAPER = 36  # https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
_ROUNDS = 10
"""How often it is looked for processes that were forked while others were ended."""


def adopt_orphans() -> None:
    """Become the parent of all descendants whose own parent ends, on Linux."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - takes milliseconds

        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def kill_marked(mark: str) -> None:
    """Kill every process that inherited a mark."""
    for _ in range(_ROUNDS):
        if not kill(marked(f"{MARK}={mark}".encode())):
            return

"""What a worker started and what has left its process group: by `setsid`, `setpgid`, or a fork whose parent ends.

Linux alone shows it. A worker adopts its orphans (`adopt_orphans`), so that its descendants stay in one tree while it
lives; and each of them inherits a mark in its environment, by which it is found after the worker's death.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MARK = "RETSPEC_WORKER"
"""The environment variable that marks what a worker started."""
_PROC = Path("/proc")
_SET_CHILD_SUBREAPER = 36  # https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
_ROUNDS = 10
"""How often it is looked for processes that were forked while others were ended."""


@dataclass(frozen=True)
class Process:
    """A process; its number alone may belong to another one later."""

    pid: int
    started: bytes
    """Clock ticks since the machine's start."""


def adopt_orphans() -> None:
    """Become the parent of all descendants whose own parent ends, on Linux."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - takes milliseconds

        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(pid: int) -> frozenset[Process]:
    """Return the processes below one, as far as they can be seen."""
    below: dict[int, list[Process]] = {}
    for process, parent in _all():
        below.setdefault(parent, []).append(process)
    found: list[Process] = []
    parents = [pid]
    while parents:
        children = below.get(parents.pop(), [])
        found += children
        parents += [child.pid for child in children]
    return frozenset(found)


def kill_marked(mark: str) -> None:
    """Kill every process that inherited a mark."""
    entry = f"{MARK}={mark}".encode()
    for _ in range(_ROUNDS):
        if not kill(process for process, _ in _all() if entry in _environment(process.pid)):
            return


def kill(processes: Iterable[Process]) -> int:
    """Kill processes, if they are still there, and return how many were."""
    killed = 0
    for process in processes:
        with suppress(ProcessLookupError, PermissionError):
            if _parent_and_start(process.pid)[1] == process.started:
                os.kill(process.pid, signal.SIGKILL)
                killed += 1
    return killed


def _all() -> Iterator[tuple[Process, int]]:
    """Yield every living process but this one, with the number of its parent."""
    for folder in _PROC.glob("[0-9]*") if sys.platform == "linux" else ():
        pid = int(folder.name)
        with suppress(ProcessLookupError, PermissionError):
            parent, started = _parent_and_start(pid)
            if pid != os.getpid():
                yield Process(pid, started), parent


def _parent_and_start(pid: int) -> tuple[int, bytes]:
    """Return the parent and the start of a process; raises ProcessLookupError if it is gone, or a mere zombie."""
    try:
        # PID (NAME) STATE PPID …: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
        fields = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except FileNotFoundError as error:
        raise ProcessLookupError from error
    if fields[0] in {b"Z", b"X"}:
        raise ProcessLookupError
    return int(fields[1]), fields[19]


def _environment(pid: int) -> list[bytes]:
    """Return the environment that a process started with; none of one that is gone, or another user's."""
    with suppress(OSError):
        return (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    return []

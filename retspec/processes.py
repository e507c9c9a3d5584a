"""The processes of this machine, as Linux shows them in `/proc`; elsewhere there are none to see."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process; its number alone may belong to another one later."""

    pid: int
    started: bytes
    """Clock ticks since the machine's start."""


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


def kill(processes: Iterable[Process]) -> int:
    """Kill processes, if they are still there, and return how many were."""
    killed = 0
    for process in processes:
        with suppress(ProcessLookupError, PermissionError):
            if _parent_and_start(process.pid)[1] == process.started:
                os.kill(process.pid, SIGKILL)
                killed += 1
    return killed


def marked(entry: bytes) -> Iterator[Process]:
    """Yield the processes whose environment holds `NAME=value`, as far as it may be read."""
    return (process for process, _ in _all() if entry in _environment(process.pid))


def cpu_seconds(pid: int) -> float:
    """Return the seconds that a process has computed; 0 for one that cannot be seen."""
    with suppress(ProcessLookupError):
        user, system = _fields(pid)[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _all() -> Iterator[tuple[Process, int]]:
    """Yield every living process but this one, with the number of its parent."""
    for folder in _PROC.glob("[0-9]*") if sys.platform == "linux" else ():
        pid = int(folder.name)
        with suppress(ProcessLookupError, PermissionError):
            parent, started = _parent_and_start(pid)
            if pid != os.getpid():
                yield Process(pid, started), parent


def _parent_and_start(pid: int) -> tuple[int, bytes]:
    fields = _fields(pid)
    return int(fields[1]), fields[19]


def _fields(pid: int) -> list[bytes]:
    """Return STATE PPID … of a process; raises ProcessLookupError if it is gone, or a mere zombie.

    See https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    try:
        fields = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except FileNotFoundError as error:
        raise ProcessLookupError from error
    if fields[0] in {b"Z", b"X"}:
        raise ProcessLookupError
    return fields


def _environment(pid: int) -> list[bytes]:
    """Return the environment that a process started with; none of one that is gone, or another user's."""
    with suppress(OSError):
        return (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    return []

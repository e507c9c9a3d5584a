"""The guard of a command: a process that outlives the one that asked for it, however that ends.

Ray kills a worker without a word to what the worker has started: when a node runs out of memory, when a task is
cancelled by force, when a node leaves. So the command is not the worker's child, but that of a guard, which waits for
the end of a pipe that only the worker holds open, then ends the command with everything that it started, and removes
the folder of the task. Standard library only; it is run as a file: `guard.py FOLDER OUTPUT COMMAND...`.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

_PAUSE = 0.1
_GRACE = 10.0
"""Seconds that a command gets to end in order, after SIGTERM."""
_SET_CHILD_SUBREAPER = 36  # https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
_IS_LINUX = sys.platform == "linux"


def main(folder: str, output: str, command: list[str]) -> None:
    """Run a command; say its status in a line once it has ended, and go once the input has ended."""
    if os.fork():  # Ray kills the children of a worker that leaves: a grandchild is none
        return
    os.setsid()
    _adopt_orphans()
    try:
        with Path(output).open("wb") as said:
            process = subprocess.Popen(  # noqa: S603 - the command of the task
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
            )
        while process.poll() is None and not _is_asked_to_end():
            time.sleep(_PAUSE)
        _end(process)
        with suppress(OSError):
            os.write(1, f"{process.returncode}\n".encode())
            while os.read(0, 1 << 10):
                pass  # the worker still reads the folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_asked_to_end() -> bool:
    return bool(select.select([0], [], [], 0)[0])


def _adopt_orphans() -> None:
    """Become the parent of all descendants whose own parent ends, on Linux."""
    if _IS_LINUX:
        import ctypes  # noqa: PLC0415 - takes milliseconds

        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command in order, then by force, then what it has left behind."""
    for number, patience in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, _GRACE)):
        if process.poll() is None:
            os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    while children := _children():
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(child, 0)


def _children() -> list[int]:
    """Return the children of this process, those that it adopted included."""
    if not _IS_LINUX:
        return []
    me = os.getpid()
    return [int(each.name) for each in Path("/proc").glob("[0-9]*") if _parent(each) == me]


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])

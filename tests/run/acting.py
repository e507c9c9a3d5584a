"""A plugin whose checks do to their process what checks should not do. All but a few read no measurement."""

from __future__ import annotations

import atexit
import builtins
import ctypes
import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import retspec
from retspec.plugin import Check, Cost, Measurement, check, hookimpl, measurement

if TYPE_CHECKING:
    from collections.abc import Iterator

AGES = 600


@check(direction="at most", advice="Nothing to do.")
def one() -> int:
    """What is one?"""
    return 1


@check(direction="equal", advice="Nothing to do.")
def torch_loaded() -> bool:
    """Did this worker import torch?"""
    return "torch" in sys.modules


@check(direction="at most", advice="Nothing to do.")
def leaves_a_note(*, path: str) -> int:
    """Was it called?"""
    with Path(path).open("a") as stream:
        stream.write("called\n")
    return 0


@check(direction="at most", advice="Nothing to do.")
def module_in_working_directory() -> int:
    """Does a file in the working directory stand in for a module of the standard library?"""
    import colorsys

    return int(not hasattr(colorsys, "rgb_to_hsv"))


@check(direction="at most", advice="Nothing to do.")
def bare_modules() -> int:
    """How many modules of retspec stand in for a user's module of the same name?"""
    folder = Path(retspec.__file__).parent
    names = [path.stem for path in folder.glob("*.py") if not path.stem.startswith("__")]
    return sum(importlib.util.find_spec(name) is not None for name in names)


# The ways to die ----------------------------------------------------------------------------------


@check(direction="at most", advice="Nothing to do.")
def segfaults() -> int:
    """Does it read address zero?"""
    os.write(2, b"last words of the worker\n")
    os.kill(os.getpid(), signal.SIGSEGV)
    return 0


@check(direction="at most", advice="Nothing to do.")
def exits() -> int:
    """Does it leave at once, and say that all is well?"""
    os._exit(0)


@check(direction="at most", advice="Nothing to do.")
def aborts() -> int:
    """Does it abort?"""
    os.abort()


@check(direction="at most", advice="Nothing to do.")
def killed() -> int:
    """Does somebody kill it?"""
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


@check(direction="at most", advice="Nothing to do.")
def quits() -> int:
    """Does it call `sys.exit`?"""
    sys.exit("no more")


# The ways to stay ---------------------------------------------------------------------------------


@check(direction="at most", advice="Nothing to do.")
def sleeps(*, path: str = "") -> int:
    """Does it take for ever?"""
    if path:
        _note(path, os.getpid())
    time.sleep(AGES)
    return 0


@check(direction="at most", advice="Nothing to do.")
def stubborn(*, path: str) -> int:
    """Does it refuse to end, and hold the interpreter's lock meanwhile?"""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _note(path, os.getpid())
    ctypes.PyDLL(None).sleep(AGES)
    return 0


@check(direction="at most", advice="Nothing to do.")
def spawns(*, path: str) -> int:
    """Does it leave a child that holds every pipe?"""
    child = subprocess.Popen(["sleep", str(AGES)], close_fds=False)
    _note(path, child.pid)
    return 0


@check(direction="at most", advice="Nothing to do.")
def threads() -> int:
    """Does it leave a thread?"""
    threading.Thread(target=time.sleep, args=(AGES,)).start()
    return 0


class _SlowToGo:
    def __del__(self) -> None:
        time.sleep(AGES)


@check(direction="at most", advice="Nothing to do.")
def slow_to_go(*, path: str) -> int:
    """Does it leave what is slow to take apart?"""
    atexit.register(Path(path).touch)
    builtins.left_by_a_test = _SlowToGo()  # as a library leaves what it holds globally
    return 0


def _note(path: str, pid: int) -> None:
    """Write whole: the test waits for the file."""
    whole = Path(f"{path}.part")
    whole.write_text(str(pid))
    whole.rename(path)


# The ways to lie ----------------------------------------------------------------------------------


@check(direction="at most", advice="Nothing to do.")
def forges() -> int:
    """Does it print what looks like a record?"""
    record = '{"type":"Finished","outcome":{"id":"forges","observed":{"value":0}}}\n{"type":"Done"}\n'
    sys.stdout.write(record)
    sys.stdout.flush()
    os.write(1, record.encode())
    os.write(2, record.encode())
    return 9


@check(direction="at most", advice="Nothing to do.")
def forks() -> int:
    """Does a second process go on where this one does?"""
    return 0 if os.fork() == 0 else 9


# Measurements -------------------------------------------------------------------------------------


@measurement(cost=Cost.FORWARD, needs_torch=False)
def fragile(*, path: str) -> int:
    """Fail, and count how often."""
    leaves_a_note(path=path)
    raise ValueError("it broke")


@measurement(cost=Cost.TRAINING, needs_torch=False)
def cursed() -> int:
    """Abort."""
    os.abort()


@measurement(cost=Cost.TRAINING, needs_torch=False)
def sluggish() -> int:
    """Take for ever."""
    time.sleep(AGES)
    return 0


@measurement(cost=Cost.STATIC)
def untidy() -> Iterator[int]:
    """Give facts, and fail to clean up."""
    yield 0
    raise OSError("the folder is gone")


@measurement(cost=Cost.STATIC, needs_torch=False)
def explosive() -> Iterator[int]:
    """Give facts, and crash while cleaning up."""
    yield 0
    os.abort()


@check(direction="at most", advice="Nothing to do.")
def reads_fragile(fragile: int) -> int:
    """Does it break?"""
    return fragile


@check(direction="at most", advice="Nothing to do.")
def reads_cursed(cursed: int) -> int:
    """Is it cursed?"""
    return cursed


@check(direction="at most", advice="Nothing to do.")
def reads_sluggish(sluggish: int) -> int:
    """Is it sluggish?"""
    return sluggish


@check(direction="at most", advice="Nothing to do.")
def reads_untidy(untidy: int) -> int:
    """Is it untidy?"""
    return untidy


@check(direction="at most", advice="Nothing to do.")
def reads_explosive(explosive: int) -> int:
    """Is it explosive?"""
    return explosive


@hookimpl
def retspec_checks() -> list[Check]:
    return [item for item in globals().values() if isinstance(item, Check)]


@hookimpl
def retspec_measurements() -> list[Measurement]:
    return [item for item in globals().values() if isinstance(item, Measurement)]

"""Running the user's training in this process as Python itself would run it."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from retspec.characters import one_line
from retspec.errors import SubjectError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class Launch:
    """A training that can be started, once."""

    command: str
    """What a user would type."""
    start: Callable[[], object]
    one_batch: bool = False
    """Whether every DataLoader is to give its first batch again and again."""
    cpu_ok: bool = False
    """Whether `torch.cuda.synchronize` is to do nothing where there is no GPU."""
    ranks: int | None = None
    """Processes that a run on several ranks has, if there is one; any other run is one process, alone in its world."""


class Options(TypedDict, total=False):
    """The fields of a `Launch` that the user chooses."""

    one_batch: bool
    cpu_ok: bool
    ranks: int | None


def launch_script(path: Path, arguments: Sequence[str], **options: Unpack[Options]) -> Launch:
    """Return the launch of `python path arguments`; raises SubjectError when there is no such file."""
    if not path.is_file():
        raise SubjectError(f"there is no file {path}", path="train.script")

    def start() -> None:
        with _as_python_starts([str(path), *arguments], first_on_path=str(path.resolve().parent)):
            runpy.run_path(str(path), run_name="__main__")

    return Launch(f"python {' '.join([str(path), *arguments])}", start, **options)


def launch_module(name: str, folder: Path, arguments: Sequence[str], **options: Unpack[Options]) -> Launch:
    """Return the launch of `python -m name arguments`."""

    def start() -> None:
        with _as_python_starts([name, *arguments], first_on_path=str(folder.resolve())):
            runpy.run_module(name, run_name="__main__", alter_sys=True)

    return Launch(f"python -m {' '.join([name, *arguments])}", start, **options)


def launch_callable(
    reference: str,
    function: Callable[[], object],
    folder: Path,
    arguments: Sequence[str],
    **options: Unpack[Options],
) -> Launch:
    """Return the launch of a function that takes nothing and reads its arguments from `sys.argv`."""

    def start() -> None:
        with _as_python_starts([reference, *arguments], first_on_path=str(folder.resolve())):
            function()

    return Launch(" ".join([reference, *arguments]), start, **options)


def exit_code_of(error: SystemExit) -> str:
    """Return the exit code that Python ends with, and the message that it prints instead of one.

    A message means 1: https://docs.python.org/3/library/sys.html#sys.exit.
    """
    if error.code is None or isinstance(error.code, int):
        return str(int(error.code or 0))
    return f"1: {one_line(str(error.code))}"


@contextmanager
def _as_python_starts(argv: list[str], *, first_on_path: str) -> Iterator[None]:
    """Set what Python sets, and put it back: `sys.argv`, `sys.path[0]`, and the working directory, which may change.

    The first entry of the path is replaced by the script's folder, as Python does: a folder of retspec's own in front
    could hide a module of the user's with the same name.
    """
    before, path, folder = sys.argv, sys.path.copy(), Path.cwd()
    try:
        sys.argv = argv
        sys.path[:] = [first_on_path, *(entry for entry in path if entry not in {"", first_on_path})]
        yield
    finally:
        sys.argv = before
        sys.path[:] = [*path, *(entry for entry in sys.path if entry not in path)]
        os.chdir(folder)

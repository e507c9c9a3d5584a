"""The exceptions of retspec, as a tree.

    RetspecError
    ├── UsageError          exit 2   the command line asks for something impossible
    ├── SpecError           exit 2   the spec is invalid; carries all its problems at once
    ├── PluginError         exit 2   a plugin that this run needs does not load
    ├── NothingSelected     exit 5   the selection left no criterion to run
    ├── ReportError         exit 4   a report could not be written
    └── NoVerdict                    raised while measuring: the criterion gets "no verdict"
        ├── Inconclusive             the observation could not have gone the other way
        ├── DoesNotApply             the subject cannot have the fault that was to be planted
        └── SubjectError             the model, its data or its recipe cannot be built or used

`Spoilt` is not among them: it ends a worker, and a fresh one goes on.

Raise them with one clear line: what is wrong, then what to do. Only the command line (`retspec.cli.main`) turns them
into exit codes.
"""

from __future__ import annotations

import os
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from retspec.characters import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PYTHON = Path(os.__file__).parent
"""Folder of the standard library; installed packages are often below it."""
_from: list[Path] = []
"""The folder that the paths of the user's files are shown from; empty for their bare names."""


@dataclass(frozen=True, order=True)
class Mark:
    """A place in a spec; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.is_in_file else self.file

    @staticmethod
    def of_keys(keys: str) -> Mark:
        """Return a place in a spec without a file."""
        return Mark(keys, 0, 0)

    @property
    def is_in_file(self) -> bool:
        """Whether it is a place in a file; if not, `file` is the keys that lead to it."""
        return self.column > 0

    def in_line(self, file: str) -> str:
        """Return the file and the line, with the file as the caller shows it."""
        return f"{file}:{self.line}" if self.is_in_file else file


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong with a spec, and where."""

    mark: Mark
    message: str

    def __str__(self) -> str:
        names_it = not self.mark.is_in_file and self.message.startswith(f"{self.mark}: ")
        return self.message if names_it else f"{self.mark}: {self.message}"


class RetspecError(Exception):
    """The base class: its message is one line that a person can act on."""

    exit_code = 4


class UsageError(RetspecError):
    """The command line, or a call of the Python API, asks for something impossible."""

    exit_code = 2


class SpecError(RetspecError):
    """The spec is invalid; `problems` holds everything that is wrong with it, in the order of the file."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


def refuse(mark: Mark, message: str) -> NoReturn:
    """Raise SpecError with one problem."""
    raise SpecError([Problem(mark, message)])


class PluginError(RetspecError):
    """A plugin that this run needs does not load, or two plugins claim one name."""

    exit_code = 2


class EngineError(RetspecError):
    """An engine that measures on other machines refuses a task, or does not answer."""

    exit_code = 2


class NothingSelected(RetspecError):  # noqa: N818 - a state of the run, named as exit code 5 is
    """The selection left no criterion to run, which is never a success."""

    exit_code = 5


class ReportError(RetspecError):
    """A report could not be written; a result must never be lost silently."""

    exit_code = 4


class NoVerdict(RetspecError):  # noqa: N818 - named for what the criterion gets
    """Raised while measuring or checking: the criterion gets no verdict, with this sentence as the reason."""


class Inconclusive(NoVerdict):
    """The observation could not have gone the other way, so it proves nothing."""


class DoesNotApply(NoVerdict):
    """The subject cannot have the fault that was to be planted into it."""


class SubjectError(NoVerdict):
    """The subject cannot be built or used; `path` is the dotted place in the spec that asks for it."""

    def __init__(self, message: str, *, path: str = "model") -> None:
        super().__init__(message)
        self.path = path


class Spoilt(BaseException):
    """The model is not what it was when it was built, and cannot be built again: a fresh worker has to go on."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the most similar known word, or an empty string."""
    near = get_close_matches(word, sorted(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def named(error: BaseException) -> str:
    """Return an exception as `Type: message` on one line, without control sequences."""
    message = _message(error)
    return one_line(f"{type(error).__name__}{': ' if message else ''}{message}")


def describe(error: BaseException) -> str:
    """Return an exception as `Type: message (file:line)`, with the innermost place in the user's code.

    Every exception of foreign code is shown this way: on one line, without control sequences.
    """
    frames = traceback.extract_tb(error.__traceback__)
    innermost = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return _placed(error, origin_of(error) or innermost)


def describe_theirs(error: BaseException) -> str:
    """Return the same as `describe`, but without a place if the user's code is not involved."""
    return _placed(error, origin_of(error))


@contextmanager
def files_shown_from(folder: Path) -> Iterator[None]:
    """Name the user's files in messages by their paths from this folder, which is that of the spec."""
    before = _from.copy()
    _from[:] = [folder.resolve()]
    try:
        yield
    finally:
        _from[:] = before


def origin_of(error: BaseException) -> str:
    """Return the innermost `file:line` of the user's code in a traceback, or an empty string.

    An error that a library raises is shown where the user's code calls it.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_shown(error.filename)}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not _is_machinery(frame.filename)]
    own = [frame for frame in theirs if not _is_installed(frame.filename)] or theirs
    return f"{_shown(own[-1].filename)}:{own[-1].lineno}" if own else ""


def _is_installed(file: str) -> bool:
    """Whether a file belongs to an installed package; Cython names its sources, which are nowhere."""
    return "site-packages" in Path(file).parts or file.endswith((".pyx", ".pxi"))


def _shown(file: str) -> str:
    """Return the path of a file of the project from the folder of the spec; of any other file, its name."""
    path, here = Path(file), Path.cwd()
    for folder in _from:
        root = here if folder.is_relative_to(here) else folder
        if path.is_relative_to(root) and "site-packages" not in path.relative_to(root).parts:
            return Path(os.path.relpath(path, folder)).as_posix()
    return path.name


def _placed(error: BaseException, place: str) -> str:
    return named(error) + (f" ({one_line(place)})" if place else "")


def _message(error: BaseException) -> str:
    """Return the message of an exception; its `__str__` is foreign code and may raise."""
    if isinstance(error, SyntaxError) and error.filename:
        return str(error.msg)  # the place follows, as for every exception
    try:
        return str(error)
    except Exception as failure:  # noqa: BLE001 - an exception that cannot be shown must not hide that there was one
        return f"its message cannot be shown: {type(failure).__name__}"


def _is_machinery(file: str) -> bool:
    """Whether a file belongs to Python, to torch or to this package: an error raised there usually began elsewhere."""
    path = Path(file)
    is_python = file.startswith(("<frozen", "<string>")) or (
        path.is_relative_to(_PYTHON) and "site-packages" not in path.parts
    )
    return is_python or path.is_relative_to(Path(__file__).parent) or "torch" in path.parts

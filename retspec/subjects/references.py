"""Importing what a spec names as `package.module:callable`."""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable


def allow_imports_from(*folders: Path) -> None:
    """Append folders to the import path; never in front, where a file beside the spec could shadow a package."""
    for folder in folders:
        if str(folder) not in sys.path:
            sys.path.append(str(folder))


def load_callable(reference: str, *, path: str) -> Callable[..., Any]:
    """Return the callable behind `package.module:callable`.

    Raises SubjectError, naming the place `path` in the spec, when there is none.
    """
    module_name, _, attribute = reference.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise SubjectError(f"{reference}: importing it raised {describe(error)}", path=path) from error
        raise SubjectError(
            f"there is no module {error.name!r}; it must be installed, beside the spec, or in the working directory",
            path=path,
        ) from error
    except Exception as error:
        raise SubjectError(f"{reference}: importing it raised {describe(error)}", path=path) from error
    found = getattr(module, attribute, None)
    if not callable(found):
        names = [name for name, value in vars(module).items() if callable(value)]
        raise SubjectError(f"{module_name} has no callable {attribute!r}{did_you_mean(attribute, names)}", path=path)
    return found  # type: ignore[no-any-return]


def call(reference: str, function: Callable[..., Any], arguments: dict[str, Any], *, path: str) -> Any:
    """Call a user's function; whatever it raises becomes one line with the place in the user's file."""
    try:
        return function(**arguments)
    except Exception as error:
        raise SubjectError(f"{reference} raised {describe(error)}", path=path) from error


def describe(error: BaseException) -> str:
    """Return an exception as `Type: message (file:line)`, the place being the innermost one that is the user's."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not _is_machinery(frame.filename)] or frames
    place = f" ({Path(theirs[-1].filename).name}:{theirs[-1].lineno})" if theirs else ""
    message = " ".join(str(error).split())
    return f"{type(error).__name__}{': ' if message else ''}{message}{place}"


def _is_machinery(filename: str) -> bool:
    """Whether a file belongs to torch or to this package: an error that surfaces there was caused elsewhere."""
    path = Path(filename)
    return path.is_relative_to(Path(__file__).parent.parent) or "torch" in path.parts

"""Import a callable that a spec names as `package.module:callable`, or as `package.module:Class.method`."""

from __future__ import annotations

import importlib
import inspect
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.characters import one_line
from retspec.errors import NoVerdict, SubjectError, describe, describe_theirs, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_allowed: set[str] = set()
"""Folders that this module added to the import path; the other entries belong to the environment."""


def allow_imports_from(*folders: Path) -> None:
    """Append folders to the import path; never prepend, or a file next to the spec could shadow a package."""
    for folder in folders:
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
            _allowed.add(str(folder))


@contextmanager
def installed_imports_alone() -> Iterator[None]:
    """Remove those folders from the import path temporarily: they may hold untrusted modules.

    Libraries import while they read a file, sometimes by a name in the file, or an optional package that they find.
    Modules that are already imported stay.
    """
    before = sys.path.copy()
    sys.path[:] = [entry for entry in before if entry not in _allowed]
    try:
        yield
    finally:
        sys.path[:] = [*before, *(entry for entry in sys.path if entry not in before)]


def load_callable(reference: str, *, path: str) -> Callable[..., Any]:
    """Return the callable behind `package.module:callable`.

    What follows the colon may be a path of attributes, such as `Class.from_pretrained`.

    Raises SubjectError at the place `path` in the spec when it cannot be imported or is not callable.
    """
    module_name, _, attribute = reference.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise SubjectError(f"{reference}: importing it raised {describe(error)}", path=path) from error
        raise SubjectError(
            f"there is no module {error.name!r}; it must be installed, beside the spec, or in the working directory"
            f"{did_you_mean(error.name, _own_modules())}",
            path=path,
        ) from error
    except SystemExit as error:
        raise SubjectError(f"{reference}: importing it ends the program{_exit_message(error)}", path=path) from error
    except Exception as error:
        raise SubjectError(f"{reference}: importing it raised {describe(error)}", path=path) from error
    found: Any = module
    for name in attribute.split("."):
        found = _attribute(found, name, path)
    if not callable(found):
        raise SubjectError(f"{reference} is {type(found).__name__}, which cannot be called", path=path)
    return found  # type: ignore[no-any-return]


def _own_modules() -> list[str]:
    """Return the names of the modules in the folders that this module added to the import path."""
    return [file.stem for folder in _allowed for file in Path(folder).glob("*.py")]


def _exit_message(error: SystemExit) -> str:
    """Return what `sys.exit` was called with, as the end of a sentence."""
    said = "" if error.code is None else f": {one_line(str(error.code))}"
    return f" (`sys.exit`){said}"


def _attribute(owner: Any, name: str, path: str) -> Any:
    """Return an attribute of a module or class; raises SubjectError, with a near miss, where it has none."""
    try:
        return getattr(owner, name)
    except AttributeError:
        # Not filtered by what is callable: asking a lazy module, such as transformers, would import all of it.
        message = f"{_called(owner)} has no callable {name!r}{did_you_mean(name, dir(owner))}"
        raise SubjectError(message, path=path) from None
    except Exception as error:  # a lazy module imports what it offers when it is asked for it
        raise SubjectError(f"{_called(owner)}: importing {name} raised {describe(error)}", path=path) from error


def _called(owner: Any) -> str:
    return str(getattr(owner, "__name__", type(owner).__name__))


def call(
    reference: str,
    function: Callable[..., Any],
    arguments: dict[str, Any] | tuple[Any, ...],
    *,
    path: str,
    kwargs_path: str = "",
) -> Any:
    """Return the result of a user's function; raises SubjectError, with the line of the file, when it fails.

    arguments: by name, or in order. What retspec itself raises on the way is passed on.
    kwargs_path: the place in the spec that gives the arguments by name, if it gives them; they are then held against
    the function's parameters first.
    """
    if kwargs_path and isinstance(arguments, dict):
        _require_fit(reference, function, arguments, path, kwargs_path)
    try:
        return function(*arguments) if isinstance(arguments, tuple) else function(**arguments)
    except NoVerdict:
        raise
    except SystemExit as error:
        raise SubjectError(f"{reference} ends the program{_exit_message(error)}", path=path) from error
    except Exception as error:
        raise SubjectError(f"{reference} raised {describe_theirs(error)}", path=path) from error


def _require_fit(
    reference: str, function: Callable[..., Any], arguments: dict[str, Any], path: str, kwargs_path: str
) -> None:
    """Raise SubjectError for an argument that the function does not take, or one that it needs and does not get."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some builtins have no signature
        return
    by_name = [each for each in parameters if each.kind in {each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY}]
    known = [each.name for each in by_name]
    if not any(each.kind is each.VAR_KEYWORD for each in parameters):
        for name in arguments:
            if name not in known:
                near = did_you_mean(name, known) or f"; it has {', '.join(known) or 'none'}"
                raise SubjectError(f"{reference} has no argument {name!r}{near}", path=f"{kwargs_path}.{name}")
    missing = [each.name for each in by_name if each.default is each.empty and each.name not in arguments]
    if missing:
        key = kwargs_path.rpartition(".")[2]
        raise SubjectError(f"{reference} needs {', '.join(missing)}; give it under `{key}:`", path=path)

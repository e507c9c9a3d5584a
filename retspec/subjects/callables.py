"""Import a callable that a spec names as `package.module:callable`."""

from __future__ import annotations

import importlib
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from retspec.errors import NoVerdict, SubjectError, describe, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


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

    Raises SubjectError at the place `path` in the spec when it cannot be imported or is not callable.
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


def call(
    reference: str, function: Callable[..., Any], arguments: dict[str, Any] | tuple[Any, ...], *, path: str
) -> Any:
    """Return the result of a user's function; raises SubjectError, with the line of the file, when it fails.

    arguments: by name, or in order. What retspec itself raises on the way is passed on.
    """
    try:
        return function(*arguments) if isinstance(arguments, tuple) else function(**arguments)
    except NoVerdict:
        raise
    except Exception as error:
        raise SubjectError(f"{reference} raised {describe(error)}", path=path) from error

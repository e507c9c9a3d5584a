"""Writing a draft where nothing is, or where it may replace what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = "retspec.schema.json"
"""The file that a draft's first line names; `retspec schema` writes it."""


def require_free(path: Path, *, force: bool) -> None:
    """Raise UsageError where a draft must not be written: before minutes are spent on it."""
    if path.exists() and not force:
        raise _exists(path)
    if not path.absolute().parent.is_dir():
        raise UsageError(f"cannot write {path}: there is no folder {path.parent}")


def write_draft(path: Path, text: str, *, force: bool) -> None:
    """Write a draft; raises UsageError where a file is and may not be replaced, or where none can be written."""
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def _exists(path: Path) -> UsageError:
    return UsageError(f"{path} exists; --force overwrites it")

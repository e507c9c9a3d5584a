"""Which files are on the disk: folders are listed, since asking for one file at a time takes long."""

from __future__ import annotations

import os
import stat
import sys
from typing import NamedTuple

_IS_EXACT = sys.platform == "linux"
"""Whether a name that no folder lists is no file's; macOS and Windows find files by other forms, too."""


class Folders:
    """The files in folders, each of which is listed once.

    root: what paths are relative to.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.fspath(root)
        self._listed: dict[str, _Names | None] = {}

    def has(self, file: str) -> bool:
        """Whether a path leads to a file."""
        below, name = os.path.split(file)
        names = self._names_in(below)
        if names is not None and (name in names.files or _IS_EXACT):
            return name in names.files
        return os.path.isfile(self._path(file))  # noqa: PTH113 - no error for what is no path

    def obstacle(self, file: str) -> str:
        """Return why a path to something leads to no file, as a clause; empty where there is a file, or nothing."""
        below, name = os.path.split(file)
        names = self._names_in(below)
        if names is None or name not in names.others:
            return ""
        try:
            mode = os.stat(self._path(file)).st_mode  # noqa: PTH116 - fast
        except (OSError, ValueError):
            return f"it is a link to {os.readlink(self._path(file))}, and no file is there"  # noqa: PTH115 - a text
        return "it is a folder" if stat.S_ISDIR(mode) else "it is a pipe, a socket or a device, not a regular file"

    def listed(self, below: str) -> frozenset[str]:
        """Return all names in a folder; none where it is no folder, or cannot be listed."""
        names = self._names_in(below)
        return frozenset() if names is None else names.files | names.others

    def _names_in(self, below: str) -> _Names | None:
        if below not in self._listed:
            self._listed[below] = _names_in(self._path(below))
        return self._listed[below]

    def _path(self, file: str) -> str:
        return os.path.join(self.root, file)  # noqa: PTH118 - fast


class _Names(NamedTuple):
    """The names in a folder."""

    files: frozenset[str]
    """Those of files, and of links that lead to one."""
    others: frozenset[str]


def _names_in(folder: str) -> _Names | None:
    """Return what is in a folder, None where it cannot be listed."""
    try:
        with os.scandir(folder) as scanned:
            entries = {entry.name: entry.is_file() for entry in scanned}
    except (FileNotFoundError, NotADirectoryError):
        entries = {}
    except (OSError, ValueError):
        return None
    return _Names(
        frozenset(name for name, is_file in entries.items() if is_file),
        frozenset(name for name, is_file in entries.items() if not is_file),
    )

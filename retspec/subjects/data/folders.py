"""Which files are on the disk: folders are listed, since asking for one file at a time takes long."""

from __future__ import annotations

import os
import stat
import sys
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
        return not self.absent([file])

    def absent(self, files: Iterable[str]) -> list[str]:
        """Return the paths that lead to no file."""
        found = []
        last: str | None = None
        names: _Names | None = None
        for file in files:
            below, _, name = file.rpartition("/")
            if below != last:
                last, names = below, self._names_in(below if below or not file.startswith("/") else "/")
            if names is not None and (name in names.files or _IS_EXACT):
                is_there = name in names.files
            else:
                is_there = os.path.isfile(self._path(file))  # noqa: PTH113 - no error for what is no path
            if not is_there:
                found.append(file)
        return found

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

    def listed(self, below: str) -> Iterator[str]:
        """Yield all names in a folder; none where it is no folder, or cannot be listed."""
        names = self._names_in(below)
        return iter(()) if names is None else chain(names.files, names.others)

    def files_alone(self, below: str) -> list[str]:
        """Return the paths of all files in a folder; none where it has folders in it, or cannot be listed."""
        top = os.path.normpath(below)
        names = self._names_in("" if top == "." else below)
        if names is None or any(os.path.isdir(self._path(os.path.join(below, each))) for each in names.others):  # noqa: PTH112, PTH118 - fast
            return []
        return [name if top == "." else f"{top}/{name}" for name in chain(names.files, names.others)]

    def _names_in(self, below: str) -> _Names | None:
        if below not in self._listed:
            self._listed[below] = _names_in(self._path(below))
        return self._listed[below]

    def _path(self, file: str) -> str:
        return os.path.join(self.root, file)  # noqa: PTH118 - fast


class _Names(NamedTuple):
    """The names in a folder."""

    files: set[str]
    """Those of files, and of links that lead to one."""
    others: set[str]


def _names_in(folder: str) -> _Names | None:
    """Return what is in a folder, None where it cannot be listed."""
    files: set[str] = set()
    others: set[str] = set()
    try:
        with os.scandir(folder) as scanned:
            for entry in scanned:
                (files if entry.is_file() else others).add(entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return _Names(set(), set())
    except (OSError, ValueError):
        return None
    return _Names(files, others)

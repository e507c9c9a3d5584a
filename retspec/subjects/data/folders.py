"""Which files are on the disk: folders are listed, since asking for one file at a time takes long."""

from __future__ import annotations

import os
import sys

_IS_EXACT = sys.platform == "linux"
"""Whether a name that no folder lists is no file's; macOS and Windows find files by other forms, too."""


class Folders:
    """The files in folders, each of which is listed once.

    root: what paths are relative to.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._root = os.fspath(root)
        self._names: dict[str, frozenset[str] | None] = {}

    def has(self, file: str) -> bool:
        """Whether a path leads to a file."""
        below, name = os.path.split(file)
        if below not in self._names:
            self._names[below] = _files_in(os.path.join(self._root, below))  # noqa: PTH118 - fast
        names = self._names[below]
        if names is not None and (name in names or _IS_EXACT):
            return name in names
        return os.path.isfile(os.path.join(self._root, file))  # noqa: PTH113, PTH118 - no error for what is no path


def _files_in(folder: str) -> frozenset[str] | None:
    """Return the names of the files in a folder, None where it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            return frozenset(entry.name for entry in entries if entry.is_file())
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    except (OSError, ValueError):
        return None

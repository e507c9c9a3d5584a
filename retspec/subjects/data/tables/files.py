"""The files that the names in a table mean."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retspec.subjects.data.folders import Folders

_UNUSUAL = re.compile(r"(^|/)\.{0,2}(/|$)")
"""A path that starts with a slash, or holds `.`, `..` or nothing between two: it needs `normpath`."""


def paths_of(names: Sequence[str], images: str, extensions: Sequence[str], folders: Folders) -> list[str]:
    """Return the paths, relative to the spec, of files by their names in a table.

    images: the folder of the images. extensions: what is put behind names without any of them; of several the first
    that gives a file, else the first.
    """
    top = os.path.normpath(images)
    start = "" if top == "." else f"{top}/"
    endings = tuple(each.lower() for each in extensions)
    paths = []
    bare = frozenset({"", ".", ".."})
    for name in names:
        if len(endings) < 2 and "/" not in name and name not in bare:  # noqa: PLR2004 - as below; most names are so
            paths.append(f"{start}{name}" if name.lower().endswith(endings or "") else f"{start}{name}{extensions[0]}")
            continue
        whole = name if not endings or name.lower().endswith(endings) else ""
        if whole or len(endings) < 2:  # noqa: PLR2004 - one of several
            paths.append(_joined(images, start, whole or f"{name}{''.join(extensions)}", folders))
            continue
        tried = [_joined(images, start, name + each, folders) for each in extensions]
        paths.append(next(filter(folders.has, tried), tried[0]))
    return paths


def _joined(images: str, start: str, name: str, folders: Folders) -> str:
    """Return a path in one spelling, so that a file that two tables name differently is one."""
    if not _UNUSUAL.search(name):
        return start + name
    path = os.path.normpath(os.path.join(images, name))  # noqa: PTH118 - a text
    if not path.startswith(os.sep) or images.startswith(os.sep):
        return path
    top = os.path.normpath(os.path.join(folders.root, images))  # noqa: PTH118 - a text
    for folder, prefix in ((top, start), (folders.root, "")):
        if path.startswith(f"{folder}{os.sep}"):
            return prefix + path[len(folder) + 1 :]
    return path

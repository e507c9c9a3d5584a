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
    for name in names:
        whole = name if not endings or name.lower().endswith(endings) else ""
        if whole or len(endings) == 1:
            paths.append(_joined(images, start, whole or name + extensions[0]))
            continue
        tried = [_joined(images, start, name + each) for each in extensions]
        paths.append(next(filter(folders.has, tried), tried[0]))
    return paths


def _joined(images: str, start: str, name: str) -> str:
    if _UNUSUAL.search(name):
        return os.path.normpath(os.path.join(images, name))  # noqa: PTH118 - a text
    return start + name

"""Where the bytes of many images are: paths as text, since making a `Path` takes longer than hashing a small image."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from retspec.regular_files import Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from retspec.facts import Dataset

Address: TypeAlias = "str | Part"


def addresses(dataset: Dataset, files: Iterable[str]) -> dict[str, Address]:
    """Return where the bytes of listed images are; the same as `Dataset.content` gives, with paths as text."""
    start = str(Path(dataset.folder, "x"))[:-1]
    holder = cache(lambda name: Path(dataset.folder, name))
    found: dict[str, Address] = {}
    for file in files:
        stored = dataset.stored.get(file)
        if stored is not None:
            found[file] = Part(holder(stored.holder), stored.start, stored.size, file)
        elif _is_plain(file):
            found[file] = start + file
        else:
            found[file] = str(Path(dataset.folder, file))
    return found


def size_of(address: Address) -> int:
    """Return the bytes of an image; 0 where nothing can be said of it."""
    if isinstance(address, Part):
        return address.size
    try:
        return os.stat(address).st_size  # noqa: PTH116 - fast
    except (OSError, ValueError):
        return 0


def _is_plain(file: str) -> bool:
    """Whether `Path` would leave a relative path as it is."""
    return not (file.startswith("/") or file.endswith(("/", "/.")) or "//" in file or "./" in file or file in {"", "."})

"""Noting which files this process opens, by whatever code of Python."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WRITING = os.O_WRONLY | os.O_RDWR
_noting: list[Callable[[Any], None]] = []
"""What is called for each opening; empty while nobody asks, so that the audit hook does nothing."""
_hooks: list[Callable[[str, tuple[Any, ...]], None]] = []
"""The audit hook, once it is there: none can be removed (https://docs.python.org/3/library/sys.html#sys.addaudithook)."""


@contextmanager
def openings_noted(note: Callable[[Any], None]) -> Iterator[None]:
    """Hand the path of each file that is opened for reading to a function: text, bytes, or the number of a descriptor.

    Compiled code, such as OpenCV's, opens files without a word to Python.
    """
    if not _hooks:
        _hooks.append(_hook)
        sys.addaudithook(_hook)
    _noting.append(note)
    try:
        yield
    finally:
        _noting.remove(note)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _noting and event == "open":
        path, _, flags = arguments
        if not flags & _WRITING:
            for note in _noting:
                note(path)


def real_path(path: Any) -> str:
    """Return the path of a file without links; empty for what is no path."""
    return os.path.realpath(os.fsdecode(path)) if isinstance(path, (str, bytes, os.PathLike)) else ""

"""Paths relative to the root of the git checkout, as CI tools expect them."""

from __future__ import annotations

import os
from pathlib import Path

from retspec.characters import one_line


def from_root(file: str) -> str:
    """Return a path relative to the root of its git checkout, or to the working directory, or as it is."""
    path = Path(os.path.normpath(Path(file).absolute()))
    root = next((parent for parent in path.parents if (parent / ".git").exists()), Path.cwd())
    return one_line((path.relative_to(root) if path.is_relative_to(root) else path).as_posix())

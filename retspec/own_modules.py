"""The files of the modules that this process has imported and that belong to no installation: the user's own code."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

MOST_FILES = 5_000
_PACKAGES = frozenset({"site-packages", "dist-packages"})
"""Folders of installed packages, also of those that another environment lends."""


def own_modules() -> tuple[str, ...]:
    """Return the paths of the user's modules, sorted."""
    elsewhere = (*_installations(), "<")
    files = (getattr(module, "__file__", None) for module in [*sys.modules.values()])
    found = {file for file in files if isinstance(file, str) and not file.startswith(elsewhere)}
    found = {file for file in found if Path(file).is_absolute() and not _PACKAGES.intersection(Path(file).parts)}
    return tuple(sorted(found)[:MOST_FILES])


def installation_state() -> tuple[int, ...]:
    """Return what changes when a package is installed or removed: when the folders of packages were last written to."""
    folders = {Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}
    return tuple(folder.stat().st_mtime_ns for folder in sorted(folders) if folder.exists())


def _installations() -> tuple[str, ...]:
    kinds = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = [*map(sysconfig.get_path, kinds), str(Path(__file__).parent)]
    return tuple(f"{folder}/" for each in folders for folder in {each, str(Path(each).resolve())})

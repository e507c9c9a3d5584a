"""The code of plugins, by hash: a check that is written differently judges differently under the same limits."""

from __future__ import annotations

import ast
import hashlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.review.diffing.changes import Change, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from retspec.plugins.catalog import Catalog

_SHOWN = 12
"""Digits of a hash that tell two apart."""


def code_of(catalog: Catalog, folder: Path, at: Callable[[Path], Path]) -> dict[str, str]:
    """Return the SHA-256 of the code of each plugin that loaded, by its name; a file is named relative to a folder.

    at: where a file of the working tree lies at the revision in question. A plugin that is imported by the name of its
    module is always the one of the working tree, so its files are looked up there.
    The code is the file of the plugin, and what it imports from beside it. A plugin without a file has no hash.
    """
    found = {}
    for plugin in catalog.plugins:
        path = _file_of(plugin.origin)
        if path is not None and not plugin.error:
            name = os.path.relpath(plugin.name, folder) if plugin.name.endswith(".py") else plugin.name
            found[name] = _sha256(at(path))
    return found


def code_changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[Change]:
    """Return the plugins that came, went or were edited, each as a loosening: a plugin runs with all rights.

    A plugin under another name with the same code is the same.
    """
    gone = {name: sha256 for name, sha256 in old.items() if sha256 not in new.values()}
    come = {name: sha256 for name, sha256 in new.items() if sha256 not in old.values()}
    return [_change(name, gone.get(name), come.get(name)) for name in {**come, **gone}]


def _change(name: str, old: str | None, new: str | None) -> Change:
    kind = Kind.ADDED if old is None else Kind.REMOVED if new is None else Kind.CHANGED
    digits = (each and f"SHA-256 {each[:_SHOWN]}" for each in (old, new))
    return Change(name="plugins", kind=kind, part=name, old=next(digits), new=next(digits), is_loosening=True)


def _file_of(origin: str) -> Path | None:
    """Return the file behind the path or the module that a plugin came from."""
    module = sys.modules.get(origin.partition(":")[0])
    file = origin if origin.endswith(".py") else getattr(module, "__file__", None)
    return Path(file).resolve() if file else None


def _sha256(plugin: Path) -> str:
    """Return the hash of a plugin's file and of all that it imports from its own folder or package."""
    root = plugin.parent
    while (root / "__init__.py").is_file() and root != root.parent:
        root = root.parent
    files: dict[Path, bytes] = {}
    waiting = [plugin]
    while waiting:
        path = waiting.pop()
        if path not in files:
            files[path] = path.read_bytes()
            waiting += _imported(path, files[path], {path.parent, plugin.parent, root})
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(hashlib.sha256(files[path]).digest())
    return digest.hexdigest()


def _imported(path: Path, content: bytes, roots: set[Path]) -> Iterator[Path]:
    """Yield the files under some folders that a file imports by name, whether or not it ever comes to it."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):  # what is never imported may be written in anything
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named = [(name.name, roots) for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = roots if node.level == 0 else {path.parents[node.level - 1]}
            named = [(f"{node.module or ''}.{name.name}".strip("."), start) for name in node.names]
        else:
            continue
        for name, folders in named:
            yield from _files_of(name.split("."), folders)


def _files_of(names: list[str], folders: set[Path]) -> Iterator[Path]:
    """Yield the files of a dotted name: its packages, and its module, where they are."""
    for folder in folders:
        for length in range(1, len(names) + 1):
            place = folder.joinpath(*names[:length])
            yield from (file for file in (place.with_name(f"{place.name}.py"), place / "__init__.py") if file.is_file())

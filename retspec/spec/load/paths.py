"""Paths in a spec are relative to the file that they are written in: here they become relative to the spec.

So later steps know one folder, and the data and its hash stay the same wherever the files are moved together.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.records.predictions import FORMATS, MADE
from retspec.spec.load.spec_file import folder_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from retspec.spec.load.tree import Node

_ANY = "*"


def _is_relative(text: str) -> bool:
    return bool(text) and "://" not in text and not Path(text).is_absolute()


def _is_relative_module(text: str) -> bool:
    return _is_relative(text) and text.endswith(".py")


_PLACES: dict[tuple[str, ...], Callable[[str], bool]] = {
    ("config",): _is_relative,
    ("model", "checkpoint"): _is_relative,
    ("model", "checkpoint", "file"): _is_relative,
    ("model", "adapter"): _is_relative,
    ("model", "kwargs", _ANY, "path"): _is_relative,
    ("data", "kwargs", _ANY, "path"): _is_relative,
    ("data", "imagefolder", "root"): _is_relative,
    ("data", "csv", "train"): _is_relative,
    ("data", "csv", "val"): _is_relative,
    ("data", "csv", "test"): _is_relative,
    ("data", "csv", "images"): _is_relative,
    ("data", "csv", "images", _ANY): _is_relative,
    ("data", "datasets", "root"): _is_relative,
    ("data", "webdataset", "train"): _is_relative,
    ("data", "webdataset", "train", _ANY): _is_relative,
    ("data", "webdataset", "val"): _is_relative,
    ("data", "webdataset", "val", _ANY): _is_relative,
    ("data", "webdataset", "test"): _is_relative,
    ("data", "webdataset", "test", _ANY): _is_relative,
    **{("predictions", name): _is_relative for name in (*FORMATS, MADE)},
    **{("predictions", name, _ANY): _is_relative for name in (*FORMATS, MADE)},
    ("checks", _ANY, "vs"): _is_relative,
    ("checks", _ANY, "with", "listed_in"): _is_relative,
    ("checks", _ANY, "with", "baseline"): _is_relative,
    ("checks", _ANY, "with", "runs", _ANY): _is_relative,
    ("plugins", _ANY): _is_relative_module,
}
"""Where a text is a path, and when. A new path in the language needs its place here."""


def is_path_key(key: str) -> bool:
    """Whether a dotted key such as `model.checkpoint` is a place whose text is a path of data."""
    steps = key.split(".")
    return any(
        len(place) == len(steps) and all(part in {_ANY, step} for part, step in zip(place, steps, strict=True))
        for place, is_path in _PLACES.items()
        if is_path is _is_relative
    )


def relative_to_spec(tree: Node, file: str, extended: Iterable[str]) -> Node:
    """Return a resolved tree in which the paths of the files that a spec extends are relative to the spec."""
    mover = _Mover(start=folder_of(file), folders={other: folder_of(other) for other in extended})
    for place, is_path in _PLACES.items() if mover.folders else ():
        tree = mover.tree(tree, place, is_path)
    return tree


@dataclass(frozen=True, kw_only=True)
class _Mover:
    start: Path
    folders: Mapping[str, Path]
    """Of the files whose paths are moved."""

    def tree(self, node: Node, place: tuple[str, ...], is_path: Callable[[str], bool]) -> Node:
        """Move the paths at a place below a node."""
        if not place:
            return self.path(node, is_path)
        moved = {key: self.tree(child, place[1:], is_path) for key, child in node.children if place[0] in {_ANY, key}}
        if isinstance(node.value, dict):
            return replace(node, value={key: moved.get(key, child) for key, child in node.value.items()})
        if isinstance(node.value, tuple):
            return replace(node, value=tuple(moved.get(index, child) for index, child in enumerate(node.value)))
        return node

    def path(self, node: Node, is_path: Callable[[str], bool]) -> Node:
        folder = self.folders.get(node.mark.file)
        if folder is None or not isinstance(node.value, str) or not is_path(node.value):
            return node
        # Real folders, because `..` leads out of where a link leads to.
        written = folder.resolve() / node.value
        return replace(node, value=os.path.relpath(written, self.start.resolve()))

"""One split that `save_to_disk` of Hugging Face's `datasets` wrote: its features, its rows, its images."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError, did_you_mean
from retspec.facts import Example, Split, Stored
from retspec.regular_files import read_regular
from retspec.subjects.data.arrow.labels import labels_of
from retspec.subjects.data.arrow.stream import read_batches
from retspec.subjects.data.groups import same_group
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from retspec.subjects.data.arrow.stream import Batch

_LARGEST = 1 << 26
"""Bytes of a file of JSON."""
_FEATURE = {"image_column": "Image", "label_column": "ClassLabel"}


def is_saved(folder: Path) -> bool:
    """Whether a folder holds a single saved Dataset."""
    return (folder / "dataset_info.json").is_file() and (folder / "state.json").is_file()


def json_of(path: Path, shown: str, at: str) -> dict[str, Any]:
    """Return the object in a file of JSON; raises SubjectError at a place in the spec where there is none."""
    try:
        content = read_regular(path, _LARGEST)
        found = json.loads(content or b"")
    except (OSError, ValueError, RecursionError) as error:
        raise SubjectError(f"{shown} cannot be read as JSON: {error}", path=at) from error
    if not isinstance(found, dict):
        raise SubjectError(f"{shown} holds no object of JSON", path=at)
    return found


@dataclass
class ReadSplit:
    """A split, and where its images are stored."""

    split: Split
    stored: dict[str, Stored]


@dataclass
class SavedRows:
    """The cells of the columns that the spec names, row by row."""

    feature: Any
    """That of the labels; None for none."""

    images: list[tuple[str, tuple[int, int] | None, str]] = field(default_factory=list)
    """Arrow file, start and size of the bytes in it, and path as it was given to `datasets`."""
    labels: list[Any] = field(default_factory=list)
    groups: list[Any] = field(default_factory=list)


class SavedSplit:
    """A folder of Arrow files.

    root: the folder that paths are relative to. below: that of the split. called: its name.
    path: the place in the spec that names the root.
    """

    def __init__(self, root: Path, below: str, called: str, *, path: str) -> None:
        self._root = root
        self._below = PurePosixPath(below)
        self._called = called
        self._path = path

    @cached_property
    def features(self) -> Mapping[str, Any]:
        """Column to its feature, as `dataset_info.json` has it."""
        shown = str(self._below / "dataset_info.json")
        features = json_of(self._root / shown, shown, self._path).get("features")
        if not isinstance(features, dict) or not features:
            raise SubjectError(
                f"{shown} names no features; save the dataset with a current `datasets`", path=self._path
            )
        return features

    def column(self, option: str, given: str | None, *, path: str, may_lack: bool) -> str | None:
        """Return the column that an option names, or else the only one of its feature; None for none.

        may_lack: whether it may have no labels.

        Raises SubjectError at the place `path` in the spec.
        """
        if given is not None:
            return self._named(given, option, path, may_lack=may_lack)
        if option not in _FEATURE:
            return None
        fitting = [name for name, feature in self.features.items() if _kind(feature) == _FEATURE[option]]
        if len(fitting) == 1:
            return fitting[0]
        if option == "label_column" and not fitting and may_lack:
            return None
        titles = listing([f"{name!r} ({_kind(feature)})" for name, feature in self.features.items()])
        found = f"several columns of {_FEATURE[option]}" if fitting else f"no column of {_FEATURE[option]}"
        raise SubjectError(
            f"the split {self._called} has {found}: {titles}; name yours: `{option}`",
            path=path.rpartition(".")[0],
        )

    def _named(self, given: str, option: str, path: str, *, may_lack: bool) -> str | None:
        if given not in self.features:
            if option != "image_column" and may_lack:
                return None
            titles = listing([repr(name) for name in self.features])
            raise SubjectError(
                f"the split {self._called} has no column {given!r}{did_you_mean(given, self.features)}; "
                f"it has {titles}",
                path=path,
            )
        if option == "image_column" and _kind(self.features[given]) != "Image":
            raise SubjectError(
                f"{given!r} is no Image but {_kind(self.features[given])}; cast it before you save the dataset: "
                f"`cast_column({given!r}, Image())`",
                path=path,
            )
        return given

    def rows(self, *, image: str | None, label: str | None, group: str | None) -> SavedRows:
        """Return the cells of columns; raises SubjectError for Arrow files that are missing or damaged."""
        rows = SavedRows(None if label is None else self.features[label])
        for name in self._files():
            shown = str(self._below / name)

            def take(batch: Batch, holder: str = shown) -> None:
                rows.images += [(holder, *each) for each in batch.images(image)]
                rows.labels += batch.values(label) if label else []
                rows.groups += batch.values(group) if group else []

            read_batches(self._root / shown, shown, self._path, take)
        return rows

    def _files(self) -> list[str]:
        """Return the Arrow files in their order."""
        shown = str(self._below / "state.json")
        state = json_of(self._root / shown, shown, self._path)
        if state.get("_indices_data_files"):
            raise SubjectError(
                f"{shown} names a list of chosen rows, as old versions wrote it; save the dataset again",
                path=self._path,
            )
        listed = state.get("_data_files")
        files = listed if isinstance(listed, list) else []
        names = [str(each.get("filename", "")) for each in files if isinstance(each, dict)]
        if not names or not all(name and PurePosixPath(name).name == name for name in names):
            raise SubjectError(f"{shown} names no Arrow files of its folder", path=self._path)
        return names

    def examples(self, rows: SavedRows, numbers: Mapping[str, int], notes: list[str]) -> ReadSplit:
        """Return the examples; adds to `notes` what a reader should know of them.

        numbers: class name to label, for labels that are no ClassLabel.
        """
        labels = labels_of(rows.labels, rows.feature, numbers, len(rows.images))
        if rows.feature is None:
            notes.append(f"{self._called} has no column of labels: checks of labels give no verdict on it.")
        elif labels.are_hidden:
            notes.append(f"{self._called}: every label is -1 or null: the split has no labels.")
        groups = [None if each is None else same_group(str(each)) for each in rows.groups] or [None] * len(rows.images)
        if without := sum(each is None for each in groups) if rows.groups else 0:
            notes.append(f"{self._called}: {without:,} of {len(groups):,} rows have no group.")
        stored: dict[str, Stored] = {}
        examples = []
        of_rows = zip(rows.images, labels.each, groups, strict=True)
        for row, ((holder, span, path), (label, class_name), group) in enumerate(of_rows):
            file = f"{self._called}[{row}]"
            if span is None and path:
                file = path
            elif span is not None:
                bare = path.replace("\\", "/").rpartition("/")[2]
                file = f"{file}/{bare}" if bare else file
                stored[file] = Stored(holder, *span)
            examples.append(Example(file, label, class_name, group))
        known = rows.feature is not None and not labels.are_hidden
        return ReadSplit(Split(tuple(examples), labels.classes if known else {}, has_labels=known), stored)


def _kind(feature: Any) -> str:
    """Return the name of a feature, such as Image or `ClassLabel`."""
    if isinstance(feature, dict) and isinstance(feature.get("_type"), str):
        kind: str = feature["_type"]
        return str(feature.get("dtype", kind)) if kind == "Value" else kind
    return "a list" if isinstance(feature, list) else "several columns"

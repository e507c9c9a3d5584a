"""What the items of a user's loaders are called: by an entry of the batch, or by the files that the dataset lists."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retspec.subjects.data.item_files import ListedFiles

ID_KEYS = ("id", "ids", "image_id", "file", "files", "filename", "file_name", "path", "paths", "name")
"""The usual keys of a batch for the names of its images."""
GROUP_KEYS = ("patient", "patient_id", "patients", "group", "groups")
"""The usual keys of a batch for the patients."""
_PAIR = 2


def texts_of(batch: Any, keys: Sequence[str], size: int) -> list[str] | None:
    """Return the texts or whole numbers, one for each of `size` images, under the first key that a batch has."""
    entries = dict(batch) if isinstance(batch, Mapping) else getattr(batch, "__dict__", None) or {}
    return next((found for key in keys if key in entries and (found := _texts(entries[key], size))), None)


def names_of(batch: Any, keys: Sequence[Any], listed: ListedFiles | None, size: int) -> list[str] | None:
    """Return the name of each image of a batch; None where neither the batch nor the dataset says.

    keys: of the samples, in the dataset. listed: the files that the dataset lists, if it does.
    """
    if (found := texts_of(batch, ID_KEYS, size)) is not None:
        return found
    if isinstance(batch, (tuple, list)) and not hasattr(batch, "_fields"):
        beside = [entry for entry in batch[_PAIR:] if isinstance(entry, (tuple, list))]
        if found := next((texts for entry in beside if (texts := _texts(entry, size))), None):
            return found
    files = [listed.of(key) for key in keys] if listed is not None else []
    return [next(iter(each)) for each in files] if files and all(len(each) == 1 for each in files) else None


def shortened(names: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return names by split without the folder that all of them share, where all are absolute paths."""
    every = [name for each in names.values() for name in each]
    if not all(map(os.path.isabs, every)):
        return {split: [*each] for split, each in names.items()}
    folder = os.path.commonpath([os.path.dirname(name) for name in every])  # noqa: PTH120 - of texts
    return {split: [os.path.relpath(name, folder) for name in each] for split, each in names.items()}


def _texts(entry: Any, size: int) -> list[str] | None:
    values = entry.tolist() if hasattr(entry, "tolist") else entry
    if not isinstance(values, (list, tuple)) or len(values) != size:
        return None
    kept = [os.fspath(value) if isinstance(value, os.PathLike) else value for value in values]
    is_named = all(isinstance(value, (str, int)) and not isinstance(value, bool) for value in kept)
    return [str(value) for value in kept] if is_named else None

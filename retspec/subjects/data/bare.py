"""Items of a user's dataset before they are transformed."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from retspec.subjects.data.pairs import INPUT_KEYS

if TYPE_CHECKING:
    from torch.utils.data import Dataset

_TRANSFORMS = re.compile(r"transform|augment|preproc|^aug|^tfms?$", re.IGNORECASE)
"""Names of attributes that hold a transform: `transform` is that of the datasets of torchvision."""


def untransformed(dataset: Dataset[Any]) -> Dataset[Any]:
    """Return a shallow copy whose transforms do nothing, and so the datasets inside it, as in a `Subset`.

    Transforms are found by the name of the attribute. One inside `__getitem__` stays.

    See https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.VisionDataset.html
    """
    bare = copy.copy(dataset)
    for name, value in list(getattr(bare, "__dict__", {}).items()):
        bare.__dict__[name] = _bare(name, value)
    return bare


def has_transform(bare: Any) -> bool:
    """Whether `untransformed` found a transform."""
    values = list(getattr(bare, "__dict__", {}).values())
    inner = [each for value in values for each in (value if isinstance(value, list) else [value])]
    return _untouched in values or any(has_transform(each) for each in inner if _is_dataset(each))


def inputs_of(item: Any) -> Any:
    """Return the inputs of an item: the first of a pair, or what one of the usual keys names; else all of it."""
    if isinstance(item, Mapping):
        return next((item[key] for key in INPUT_KEYS if key in item), item)
    return item[0] if isinstance(item, (tuple, list)) and item else item


def file_of(dataset: Any, key: Any) -> str:
    """Return the file of an item, where the dataset lists its `samples` as torchvision does; else an empty string."""
    from torch.utils.data import Subset

    if isinstance(dataset, Subset):
        return file_of(dataset.dataset, dataset.indices[key])
    listed = getattr(dataset, "samples", None)
    inner = getattr(dataset, "dataset", None)
    if isinstance(listed, Sequence) and isinstance(key, int) and key < len(listed):
        entry = listed[key]
        first = entry[0] if isinstance(entry, (tuple, list)) and entry else entry
        return str(first) if isinstance(first, str) or hasattr(first, "__fspath__") else ""
    return "" if inner is None else file_of(inner, key)


def _is_dataset(value: Any) -> bool:
    from torch.utils.data import Dataset

    return isinstance(value, Dataset)


def _bare(name: str, value: Any) -> Any:
    if _is_dataset(value):
        return untransformed(value)
    if isinstance(value, list) and value and all(map(_is_dataset, value)):
        return [untransformed(each) for each in value]
    return _untouched if callable(value) and _TRANSFORMS.search(name) else value


def _untouched(*given: Any, **named: Any) -> Any:
    """Return what a transform is given: (image) or (image, target) as in torchvision, by name as in albumentations."""
    if named:
        return named
    return given[0] if len(given) == 1 else given

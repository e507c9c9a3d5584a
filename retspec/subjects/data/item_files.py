"""The files of a dataset's items: those that it lists, and those that are opened while an item is read."""

from __future__ import annotations

import os
import sys
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError
from retspec.subjects.data.pairs import spread
from retspec.subjects.openings import openings_noted, real_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TRIED = 8
"""Entries of a list that must all name files that exist."""
_CODE = (".py", ".pyc", ".so", ".pyd", ".dylib")
_ELSEWHERE = (sys.prefix, sys.base_prefix, "/proc", "/sys", "/dev", "/etc", "/usr")
"""Where no data lies: Python with what is installed in it, and the system."""


class ListedFiles:
    """The files that a dataset lists by item, as texts or paths in lists, arrays or tables as long as it is itself.

    Those of torchvision are called `samples`, others have `paths`, `files` or a column of a table. Names are not looked
    at: a list is one of files when entries spread over it all name a file that exists.
    """

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset

    def of(self, key: Any) -> frozenset[str]:
        """Return the files of the item with a key; none where the dataset lists none."""
        from torch.utils.data import ConcatDataset, Subset

        dataset = self._dataset
        key = int(key) if hasattr(key, "__index__") else key
        if isinstance(dataset, Subset):
            return self._inner(dataset.dataset).of(dataset.indices[key])
        if isinstance(dataset, ConcatDataset):
            part = bisect_right(dataset.cumulative_sizes, key)
            before = dataset.cumulative_sizes[part - 1] if part else 0
            return self._inner(dataset.datasets[part]).of(key - before)
        own = {each(key) for each in self._lists} if isinstance(key, int) else set()
        return frozenset(own).union(*(each.of(key) for each in self._wrapped))

    @cached_property
    def _made(self) -> dict[int, ListedFiles]:
        return {}

    def _inner(self, dataset: Any) -> ListedFiles:
        return self._made.setdefault(id(dataset), ListedFiles(dataset))

    @cached_property
    def _wrapped(self) -> list[ListedFiles]:
        """Datasets of the same length that it holds."""
        from torch.utils.data import Dataset

        values = vars(self._dataset).values() if hasattr(self._dataset, "__dict__") else ()
        held = [each for each in values if isinstance(each, Dataset) and _length(each) == _length(self._dataset)]
        return [ListedFiles(each) for each in held]

    @cached_property
    def _lists(self) -> list[Callable[[int], str]]:
        """Functions that give the file of an item."""
        length = _length(self._dataset) or 0
        own = getattr(self._dataset, "__dict__", {}).values()
        nested = (value for each in own if _is_plain_object(each) for value in vars(each).values())
        columns = (column for value in (*own, *nested) for column in _columns(value))
        return [each for column in columns if _length(column) == length for each in _file_columns(column)]


def opened_files(read: Callable[[], object]) -> frozenset[str]:
    """Return the data files that are opened while something is read."""
    noted: set[str] = set()
    with openings_noted(lambda path: noted.add(os.fsdecode(path)) if not isinstance(path, int) else None):
        read()
    return frozenset(path for path in noted if _is_data(path))


def folders_of(named: Sequence[str], bases: Sequence[Path]) -> tuple[str, ...]:
    """Return the folders of paths, each relative to any of the bases; that of a file is the one that it lies in.

    Raises SubjectError for a path that is not there.
    """
    found: dict[str, None] = {}
    for name in named:
        tried = dict.fromkeys(Path(os.path.normpath(base / Path(name).expanduser())) for base in bases)
        there = [path for path in tried if path.exists()]
        if not there:
            raise SubjectError(f"there is no {name!r} beside the spec, or in the working directory", path="checks")
        found |= dict.fromkeys(str(path if path.is_dir() else path.parent) for path in there)
    return tuple(found)


def is_below(path: str, folders: Sequence[str]) -> bool:
    """Whether a file lies in a folder, or in one below it, by its name or by that without links."""
    named = os.path.abspath(path)  # noqa: PTH100 - keeps links
    if any(Path(named).is_relative_to(folder) for folder in folders):
        return True
    return any(Path(real_path(path)).is_relative_to(real_path(folder)) for folder in folders)


def _is_data(path: str) -> bool:
    real = Path(real_path(path))
    return real.suffix not in _CODE and real.is_file() and not any(real.is_relative_to(each) for each in _ELSEWHERE)


def _length(value: Any) -> int | None:
    try:
        return len(value)
    except TypeError:
        return None


def _is_plain_object(value: Any) -> bool:
    """Whether an attribute may hold a dataset's lists, as timm's readers do."""
    from torch import nn
    from torch.utils.data import Dataset

    return hasattr(value, "__dict__") and not isinstance(value, (type, Dataset, nn.Module)) and not callable(value)


def _columns(value: Any) -> Iterator[Sequence[Any]]:
    """Give a list as it is, an array of one dimension as a list, and each column of a pandas table."""
    if isinstance(value, (list, tuple)):
        yield value
    elif hasattr(value, "columns") and hasattr(value, "iloc"):
        yield from (value[name].tolist() for name in value.columns)
    elif getattr(value, "ndim", None) == 1 and hasattr(value, "tolist") and not hasattr(value, "requires_grad"):
        yield value.tolist()


def _file_columns(column: Sequence[Any]) -> Iterator[Callable[[int], str]]:
    """Give for each place in the entries, which may be tuples or mappings, that names files a function of the index."""
    if not column:
        return
    for place in _places(column[0]):
        tried = [_text(column[index], place) for index in spread(_TRIED, len(column))]
        if all(text and os.path.isfile(text) for text in tried):  # noqa: PTH113 - no error for what is no path
            yield lambda index, place=place: _text(column[index], place)  # type: ignore[misc]


def _places(entry: Any) -> list[Any]:
    if isinstance(entry, Mapping):
        return list(entry)
    return list(range(len(entry))) if isinstance(entry, (tuple, list)) else [None]


def _text(entry: Any, place: Any) -> str:
    try:
        value = entry if place is None else entry[place]
    except (LookupError, TypeError):
        return ""
    return os.fspath(value) if isinstance(value, (str, os.PathLike)) else ""

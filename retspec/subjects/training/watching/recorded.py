"""A mapping that notes which of its keys are read."""

from __future__ import annotations

import copy
import mmap
from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any

_READ, _TAKEN = 1, 2


class Reads:
    """What was read of a config, by dotted place; the place of the whole is an empty string.

    The notes lie in memory that forked processes share, such as the workers of a DataLoader.
    """

    def __init__(self, data: Mapping[Any, Any]) -> None:
        self.leaves: list[str] = []
        """Places of values that are no mappings, and no lists that hold some."""
        self._around: dict[str, str] = {}
        self._lists: set[str] = set()
        self._walk(data, "")
        self._index = {place: index for index, place in enumerate(self._around)}
        self._notes = mmap.mmap(-1, max(len(self._index), 1))

    def _walk(self, value: Any, place: str) -> None:
        entries = entries_of(value)
        if not entries:
            self.leaves += [place] if place else []
            return
        if isinstance(value, list):
            self._lists.add(place)
        for key, entry in entries:
            below = joined(place, key)
            self._around[below] = place
            self._walk(entry, below)

    def note(self, place: str, *, explicit: bool) -> None:
        """Note that a key was read: by its name, or as one of all keys."""
        index = self._index.get(place)  # None for one that the training added
        if index is not None:
            self._notes[index] |= _READ if explicit else _TAKEN

    def is_read(self, place: str) -> bool:
        """Whether a key was read by its name."""
        return bool(self._notes[self._index[place]] & _READ)

    def is_unknown(self, place: str) -> bool:
        """Whether a key was taken with all others, or something around it was handed on as a whole.

        The latter is so where a mapping was read, and none of its keys: compiled code may have taken them.
        """
        if self._notes[self._index[place]]:
            return True
        while place:
            place = self._around[place]
            if place not in self._lists and self._is_touched(place) and not self._is_touched_below(place):
                return True
        return False

    def _is_touched(self, place: str) -> bool:
        """Whether a key was read in any way; an entry of a list comes with the list."""
        if not place:
            return True
        around = self._around[place]
        return self._is_touched(around) if around in self._lists else bool(self._notes[self._index[place]])

    def _is_touched_below(self, place: str) -> bool:
        return any(self._is_touched(each) for each, around in self._around.items() if around == place)


class Recorded(dict[Any, Any]):
    """A dict whose reads are noted, and apart from them what takes all keys at once: `f(**config)` or a loop.

    Its own iteration gives copies of its keys: equal, and other objects. One that is asked for by such a copy was taken
    with all the others: `dict(config)`, `**config` and `items` ask so in C, too, since `__iter__` is
    not that of dict (`dict_merge` in https://github.com/python/cpython/blob/main/Objects/dictobject.c).
    """

    __slots__ = ("_copies", "_place", "_reads")

    def __new__(cls, data: Any = (), _place: str = "", reads: Reads | None = None) -> Any:
        """Return a plain dict where nothing is to be noted: `dataclasses.asdict` calls `type(value)(entries)`."""
        return dict(data) if reads is None else super().__new__(cls)

    def __init__(self, data: Mapping[Any, Any], place: str, reads: Reads) -> None:
        super().__init__({key: recorded(value, joined(place, key), reads) for key, value in data.items()})
        self._place = place
        self._reads = reads
        self._copies: dict[Any, Any] = {}

    def _note(self, key: Any) -> None:
        taken = key in self._copies and self._copies[key] is key
        self._reads.note(joined(self._place, key), explicit=not taken)

    def __getitem__(self, key: Any) -> Any:
        self._note(key)
        return super().__getitem__(key)

    def __contains__(self, key: Any) -> bool:
        self._note(key)
        return super().__contains__(key)

    def __iter__(self) -> Iterator[Any]:
        for key in super().__iter__():
            copied = key.encode("utf-8", "surrogatepass").decode("utf-8", "surrogatepass") if type(key) is str else key
            yield self._copies.setdefault(key, copied)

    def get(self, key: Any, default: Any = None) -> Any:
        """Note and return."""
        self._note(key)
        return super().get(key, default)

    def pop(self, key: Any, *default: Any) -> Any:
        """Note, remove and return."""
        self._note(key)
        return super().pop(key, *default)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """Note and return."""
        self._note(key)
        return super().setdefault(key, default)

    def keys(self) -> KeysView[Any]:  # type: ignore[override]
        """Return a view on copies of the keys."""
        return KeysView(self)

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        """Return a view that takes each value by the copy of its key."""
        return ValuesView(self)

    def items(self) -> ItemsView[Any, Any]:  # type: ignore[override]
        """Return a view that takes each value by the copy of its key."""
        return ItemsView(self)

    def copy(self) -> Recorded:
        """Return a copy whose reads are noted, too."""
        return self._with(dict.items(self))

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> Recorded:
        return self._with((key, copy.deepcopy(value, memo)) for key, value in dict.items(self))

    def __or__(self, other: Any) -> Any:
        return {**self, **other} if isinstance(other, dict) else NotImplemented

    def __ror__(self, other: Any) -> Any:
        return {**other, **self} if isinstance(other, dict) else NotImplemented

    def __reduce_ex__(self, _protocol: Any) -> Any:
        """Pickle it as a dict: another process, or a checkpoint, knows nothing of this class."""
        return dict, (list(self.items()),)

    def _with(self, items: Any) -> Recorded:
        made = Recorded({}, self._place, self._reads)
        for key, value in items:
            dict.__setitem__(made, key, value)
        return made


def recorded(value: Any, place: str, reads: Reads) -> Any:
    """Return a value with its mappings recorded; of a list, those in it."""
    if type(value) is dict:
        return Recorded(value, place, reads)
    if type(value) is list:
        return [recorded(each, joined(place, index), reads) for index, each in enumerate(value)]
    return value


def unrecorded(value: Any) -> Any:
    """Return a value with plain dicts in it, all their keys noted as taken with the others."""
    if isinstance(value, dict):
        return {key: unrecorded(entry) for key, entry in value.items()}
    return [*map(unrecorded, value)] if type(value) is list else value


def entries_of(value: Any) -> list[tuple[Any, Any]]:
    """Return the entries of a mapping, or of a list that holds mappings; else nothing."""
    if type(value) is dict:
        return list(value.items())
    if type(value) is list and any(map(entries_of, value)):
        return list(enumerate(value))
    return []


def joined(place: str, key: Any) -> str:
    """Return the dotted place of a key."""
    return f"{place}.{key}" if place else str(key)

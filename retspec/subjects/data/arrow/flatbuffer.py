"""Read tables of FlatBuffers, in which Arrow describes what is in a file.

The layout: https://flatbuffers.dev/internals/
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Table:
    """A table of fields that are known by their numbers. Reading beyond the bytes raises struct.error."""

    content: bytes
    position: int

    @staticmethod
    def root(content: bytes) -> Table:
        """Return the table that the bytes begin with."""
        return Table(content, _unpacked("<I", content, 0))

    def number(self, field: int, kind: str, default: int = 0) -> int:
        """Return a number of a kind of `struct`; the default where the field is left out."""
        place = self._place(field)
        return _unpacked(f"<{kind}", self.content, place) if place else default

    def table(self, field: int) -> Table | None:
        """Return a table in a field; None where it is left out."""
        place = self._place(field)
        return self._behind(place) if place else None

    def tables(self, field: int) -> Iterator[Table]:
        """Yield the tables of a list."""
        start, count = self._list(field)
        yield from (self._behind(start + 4 * index) for index in range(count))

    def pairs(self, field: int) -> list[tuple[int, int]]:
        """Return a list of pairs of 64-bit integers."""
        start, count = self._list(field)
        numbers = struct.unpack_from(f"<{2 * count}q", self.content, start)
        return [*zip(numbers[::2], numbers[1::2], strict=True)]

    def text(self, field: int) -> str:
        """Return a text; empty where the field is left out. Raises ValueError for one that is not UTF-8."""
        start, count = self._list(field)
        return self.content[start : start + count].decode()

    def _list(self, field: int) -> tuple[int, int]:
        """Return where the entries of a list begin, and how many there are."""
        place = self._place(field)
        if not place:
            return 0, 0
        start = place + _unpacked("<I", self.content, place)
        return start + 4, _unpacked("<I", self.content, start)

    def _behind(self, place: int) -> Table:
        return Table(self.content, place + _unpacked("<I", self.content, place))

    def _place(self, field: int) -> int:
        """Return where a field is; 0 where it is left out."""
        places = self.position - _unpacked("<i", self.content, self.position)
        entry = 4 + 2 * field
        offset = _unpacked("<H", self.content, places + entry) if entry < _unpacked("<H", self.content, places) else 0
        return self.position + offset if offset else 0


def _unpacked(kind: str, content: bytes, place: int) -> int:
    if place < 0:  # `struct` would count from the end
        raise struct.error("a place before the start")
    number: int = struct.unpack_from(kind, content, place)[0]
    return number

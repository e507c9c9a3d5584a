"""Columns of an Arrow record batch: their values, and the places of binary values in the file.

The layout: https://arrow.apache.org/docs/format/Columnar.html
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from mmap import mmap

    from retspec.subjects.data.arrow.flatbuffer import Table

NULL, INT, FLOAT, BINARY, UTF8, BOOL, LIST, STRUCT, UNION = 1, 2, 3, 4, 5, 6, 12, 13, 14
FIXED_LIST, MAP, LARGE_BINARY, LARGE_UTF8, LARGE_LIST = 16, 17, 19, 20, 21
"""Numbers of types: https://github.com/apache/arrow/blob/main/format/Schema.fbs"""
_LARGE = frozenset({LARGE_BINARY, LARGE_UTF8, LARGE_LIST})
_BUFFERS = {
    **dict.fromkeys((NULL,), 0),
    **dict.fromkeys((STRUCT, FIXED_LIST), 1),
    **dict.fromkeys((BINARY, UTF8, LARGE_BINARY, LARGE_UTF8), 3),
    **dict.fromkeys((INT, FLOAT, BOOL, 7, 8, 9, 10, 11, LIST, 15, MAP, 18, LARGE_LIST), 2),
}
"""Type to the number of its own buffers; views and unions have others, and `datasets` writes none."""
_INTS = {8: "b", 16: "h", 32: "i", 64: "q"}
_FLOATS = "efd"


class UnknownTypeError(ValueError):
    """A column has a type that is not read."""


@dataclass(frozen=True)
class Field:
    """A column as a schema describes it."""

    name: str
    kind: int
    code: str = ""
    """How `struct` names its numbers; empty for what is not a number."""
    children: tuple[Field, ...] = ()

    @staticmethod
    def of(table: Table) -> Field:
        """Return the field that a table describes; raises UnknownTypeError for a dictionary or a type of views."""
        name, kind, described = table.text(0), table.number(2, "B"), table.table(3)
        if kind not in _BUFFERS or table.table(4) is not None:
            raise UnknownTypeError(f"the column {name!r} has a type of Arrow that `datasets` does not save")
        return Field(name, kind, _code(kind, described), tuple(map(Field.of, table.tables(5))))


def _code(kind: int, described: Table | None) -> str:
    if described is None:
        return ""
    if kind == INT:
        code = _INTS[described.number(0, "i")]
        return code if described.number(1, "B") else code.upper()
    return _FLOATS[described.number(0, "h")] if kind == FLOAT else ""


@dataclass
class Column:
    """The part of a column that is in one record batch."""

    schema: Field
    content: mmap
    length: int
    nulls: int
    buffers: list[tuple[int, int]]
    """Start and size of each in the file, in bytes."""
    children: list[Column] = field(default_factory=list)

    def child(self, name: str) -> Column | None:
        """Return the part of a struct of this name."""
        return next((each for each in self.children if each.schema.name == name), None)

    def values(self) -> list[Any]:
        """Return its values: numbers, texts, bytes, or lists of them; None for a null.

        Raises UnknownTypeError for other types, struct.error or ValueError for damage.
        """
        kind = self.schema.kind
        if kind == NULL:
            return [None] * self.length
        if self.schema.code:
            found: Sequence[Any] = self._numbers(1, self.schema.code, self.length)
        elif kind == BOOL:
            found = self._bits(1)
        elif kind in {UTF8, LARGE_UTF8}:
            found = [self.content[start : start + size].decode() for start, size in self._spans()]
        elif kind in {LIST, LARGE_LIST}:
            inner = self.children[0].values()
            found = [inner[start:end] for start, end in pairwise(self._offsets())]
        else:
            raise UnknownTypeError(f"the column {self.schema.name!r} holds neither numbers nor texts")
        return [value if is_there else None for value, is_there in zip(found, self.present(), strict=True)]

    def spans(self) -> list[tuple[int, int] | None]:
        """Return where the bytes of each binary value are in the file: start and size; None for a null.

        Raises UnknownTypeError where it holds no bytes.
        """
        if self.schema.kind == NULL:
            return [None] * self.length
        if self.schema.kind not in {BINARY, LARGE_BINARY}:
            raise UnknownTypeError(f"the column {self.schema.name!r} holds no bytes")
        return [span if is_there else None for span, is_there in zip(self._spans(), self.present(), strict=True)]

    def present(self) -> list[bool]:
        """Return which of its values are no nulls."""
        return self._bits(0) if self.nulls else [True] * self.length

    def _spans(self) -> Iterator[tuple[int, int]]:
        start, size = self.buffers[2]
        for begin, end in pairwise(self._offsets()):
            if not 0 <= begin <= end <= size:
                raise ValueError(f"the column {self.schema.name!r} points outside of its bytes")
            yield start + begin, end - begin

    def _offsets(self) -> Sequence[int]:
        return self._numbers(1, "q" if self.schema.kind in _LARGE else "i", self.length + 1) if self.length else [0]

    def _numbers(self, buffer: int, code: str, count: int) -> Sequence[Any]:
        start, size = self.buffers[buffer]
        if struct.calcsize(f"<{count}{code}") > size:
            raise ValueError(f"the column {self.schema.name!r} is shorter than its batch")
        return struct.unpack_from(f"<{count}{code}", self.content, start)

    def _bits(self, buffer: int) -> list[bool]:
        whole = self._numbers(buffer, "B", (self.length + 7) // 8)
        return [bool(whole[at >> 3] >> (at & 7) & 1) for at in range(self.length)]


def columns_of(
    fields: Sequence[Field], content: mmap, nodes: Iterator[tuple[int, int]], buffers: Iterator[tuple[int, int]]
) -> list[Column]:
    """Return the columns of a batch; raises ValueError where it has fewer parts than its schema says.

    nodes: length and number of nulls of each column, in the order of a walk from parents to children.
    buffers: start and size in the file.
    """
    columns = []
    for each in fields:
        length, nulls = next(nodes, (-1, 0))
        own = [next(buffers, (-1, 0)) for _ in range(_BUFFERS[each.kind])]
        if not 0 <= length <= 8 * len(content) or any(
            start < 0 or size < 0 or start + size > len(content) for start, size in own
        ):
            raise ValueError("a batch has fewer bytes than its description says")
        columns.append(Column(each, content, length, nulls, own, columns_of(each.children, content, nodes, buffers)))
    return columns

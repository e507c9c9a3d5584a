"""Read an Arrow file batch by batch: its bytes stay on the disk, and only what is asked for is read.

The format: https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format
"""

from __future__ import annotations

import struct
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from typing import TYPE_CHECKING

from retspec.errors import SubjectError, named
from retspec.regular_files import open_regular
from retspec.subjects.data.arrow.columns import Column, Field, UnknownTypeError, columns_of
from retspec.subjects.data.arrow.flatbuffer import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_CONTINUES = 0xFFFFFFFF
_SCHEMA, _BATCH = 1, 3
_DAMAGE = (OSError, ValueError, KeyError, IndexError, RecursionError, OverflowError, struct.error)


def read_batches(path: Path, shown: str, at: str, take: Callable[[list[Column]], object]) -> None:
    """Call a function with the columns of every record batch of a file.

    shown: the file, for messages. at: the place in the spec that it comes from.

    Raises SubjectError for a file that is missing, truncated or damaged, or no Arrow.
    """
    try:
        with _mapped(path) as content:
            fields: tuple[Field, ...] | None = None
            for header, kind, body in _messages(content):
                if kind == _SCHEMA:
                    fields = tuple(map(Field.of, header.tables(1)))
                elif kind == _BATCH:
                    take(_columns(header, body, fields, content))
    except FileNotFoundError as error:
        raise SubjectError(f"there is no file {shown}", path=at) from error
    except EOFError as error:
        raise SubjectError(f"{shown} is truncated: it ends inside of a batch of rows", path=at) from error
    except _DAMAGE as error:
        raise SubjectError(f"{shown} cannot be read as an Arrow file: {_reason(error)}", path=at) from error


def _reason(error: Exception) -> str:
    return str(error) if type(error) is ValueError or isinstance(error, UnknownTypeError) else named(error)


@contextmanager
def _mapped(path: Path) -> Iterator[mmap]:
    with open_regular(path) as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        yield content


def _messages(content: mmap) -> Iterator[tuple[Table, int, int]]:
    """Yield the header of each message, its kind, and where its body begins; raises EOFError for a truncated file."""
    place = 0
    while place + 8 <= len(content):
        mark, size = struct.unpack_from("<Ii", content, place)
        if mark != _CONTINUES:
            raise ValueError("it is no stream of Arrow")
        if size == 0:
            return
        body = place + 8 + size
        if size < 0 or body > len(content):
            raise EOFError
        message = Table.root(content[place + 8 : body])
        place = body + message.number(3, "q")
        if place < body or place > len(content):
            raise EOFError
        header = message.table(2)
        if header is not None:
            yield header, message.number(1, "B"), body
    if place < len(content):
        raise EOFError


def _columns(header: Table, body: int, fields: tuple[Field, ...] | None, content: mmap) -> list[Column]:
    if fields is None:
        raise ValueError("it does not begin with a schema")
    if header.table(3) is not None:
        raise ValueError("its batches are compressed; save the dataset again with `save_to_disk`")
    buffers = ((body + start, size) for start, size in header.pairs(2))
    return columns_of(fields, content, iter(header.pairs(1)), buffers)

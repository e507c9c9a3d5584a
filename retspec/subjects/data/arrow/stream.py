"""Read an Arrow file batch by batch: it is mapped into memory, so that only what is asked for is read from the disk.

The format: https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format. The extra `datasets` reads it with
pyarrow, which whatever saved the dataset has used as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from mmap import ACCESS_READ, mmap
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError, named
from retspec.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa

INSTALL = "pip install 'retspec[datasets]'"


class UnknownTypeError(ValueError):
    """A column has a type that is not read."""


@dataclass(frozen=True)
class Batch:
    """Some rows of a file."""

    rows: pa.RecordBatch
    content: pa.Buffer
    """All bytes of the file."""

    def column(self, name: str | None) -> pa.Array:
        """Return a column; raises ValueError where there is none."""
        if name is None or name not in self.rows.schema.names:
            raise ValueError(f"it has no column {name!r}, which dataset_info.json names")
        return self.rows.column(name)

    def values(self, name: str) -> list[Any]:
        """Return the numbers, texts, or lists of them in a column; None for a null.

        Raises UnknownTypeError for other types.
        """
        import pyarrow.types as kinds

        column = self.column(name)
        inner = column.type
        while kinds.is_list(inner) or kinds.is_large_list(inner) or kinds.is_fixed_size_list(inner):
            inner = inner.value_type
        known = (kinds.is_integer, kinds.is_floating, kinds.is_boolean, kinds.is_null)
        if not any(each(inner) for each in (*known, kinds.is_string, kinds.is_large_string)):
            raise UnknownTypeError(f"the column {name!r} holds neither numbers nor texts, but {column.type}")
        values: list[Any] = column.to_pylist()
        return values

    def images(self, name: str | None) -> list[tuple[tuple[int, int] | None, str]]:
        """Return where the bytes of each image are in the file, as start and size, and the path that it came from.

        None for an image without bytes. Raises UnknownTypeError for a column that is not of the feature Image.
        """
        import pyarrow.types as kinds

        column = self.column(name)
        if not kinds.is_struct(column.type) or {"bytes", "path"} - {field.name for field in column.type.fields}:
            raise UnknownTypeError(f"the column {name!r} is not an Image: it has no bytes and paths")
        spans = self._spans(column.field("bytes"), f"{name}.bytes")
        found = zip(spans, column.field("path").to_pylist(), column.is_valid().to_pylist(), strict=True)
        return [(span, path or "") if is_there else (None, "") for span, path, is_there in found]

    def _spans(self, column: pa.Array, name: str) -> list[tuple[int, int] | None]:
        import pyarrow.types as kinds

        if kinds.is_null(column.type):
            return [None] * len(column)
        if not (kinds.is_binary(column.type) or kinds.is_large_binary(column.type)):
            raise UnknownTypeError(f"the column {name!r} does not hold bytes, but {column.type}")
        _, offsets, data = column.buffers()
        if offsets is None or data is None or not data.size:  # all are null or empty
            return [(0, 0) if is_there else None for is_there in column.is_valid().to_pylist()]
        first = data.address - self.content.address
        if not 0 <= first <= first + data.size <= self.content.size:
            raise ValueError("its batches are compressed; save the dataset again with `save_to_disk`")
        places = memoryview(offsets).cast("q" if kinds.is_large_binary(column.type) else "i")
        ends = pairwise(places[column.offset : column.offset + len(column) + 1])
        return [
            (first + start, end - start) if is_there else None
            for (start, end), is_there in zip(ends, column.is_valid().to_pylist(), strict=True)
        ]


def read_batches(path: Path, shown: str, at: str, take: Callable[[Batch], object]) -> None:
    """Call a function with every record batch of a file.

    shown: the file, for messages. at: the place in the spec that it comes from.

    Raises SubjectError for a file that is missing, truncated, damaged or not Arrow, and where the extra is missing.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise SubjectError(f"{shown} is an Arrow file, which the extra `datasets` reads: {INSTALL}", path=at) from error
    try:
        with open_regular(path) as file:
            content = pa.py_buffer(mmap(file.fileno(), 0, access=ACCESS_READ))
        with pa.ipc.open_stream(content) as reader:
            for batch in reader:
                # The bytes of a stranger: https://arrow.apache.org/docs/format/Security.html
                batch.validate(full=True)
                take(Batch(batch, content))
    except FileNotFoundError as error:
        raise SubjectError(f"there is no file {shown}", path=at) from error
    except (OSError, ValueError, KeyError, OverflowError, pa.ArrowException) as error:
        raise SubjectError(f"{shown} cannot be read as an Arrow file: {_reason(error)}", path=at) from error


def _reason(error: Exception) -> str:
    return str(error) if type(error) in {ValueError, UnknownTypeError} else named(error)

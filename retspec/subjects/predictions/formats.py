"""Tables of predictions as files: CSV, JSON with an object per line, or Parquet, by the end of the name."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError
from retspec.subjects.data.tables.frames import INSTALL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PARQUET = ".parquet"


def content_for(file: str, columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Return a table as the bytes of a file; numbers are read from them as the same ones.

    columns: name to a text or a number of each row, all as long. Characters that are no Unicode, as some names of files
    have, become escapes.
    """
    if file.endswith(_PARQUET):
        return _parquet(columns)
    text = _json_lines(columns) if file.endswith(".jsonl") else _delimited(columns)
    return text.encode(errors="backslashreplace")


def require_writer(file: str, path: str) -> None:
    """Raise SubjectError at the place `path` in the spec where a file needs an extra that is not installed."""
    if not file.endswith(_PARQUET):
        return
    try:
        import polars as pl  # noqa: F401 - whether it is there
    except ImportError as error:
        message = f"{file} is Parquet, which the extra `tables` writes: {INSTALL}; or let it end in .csv or .jsonl"
        raise SubjectError(message, path=path) from error


def _delimited(columns: Mapping[str, Sequence[Any]]) -> str:
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")  # writes a float as the shortest text that is read as the same one
    table.writerow(columns)
    table.writerows(zip(*columns.values(), strict=True))
    return stream.getvalue()


def _json_lines(columns: Mapping[str, Sequence[Any]]) -> str:
    rows = zip(*columns.values(), strict=True)
    return "".join(json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) + "\n" for row in rows)


def _parquet(columns: Mapping[str, Sequence[Any]]) -> bytes:
    import polars as pl

    stream = io.BytesIO()
    pl.DataFrame({_plain(name): [*map(_plain, cells)] for name, cells in columns.items()}).write_parquet(stream)
    return stream.getvalue()


def _plain(cell: Any) -> Any:
    return cell.encode(errors="backslashreplace").decode() if isinstance(cell, str) else cell

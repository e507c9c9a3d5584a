"""Parquet, Arrow and Excel, which the extra `tables` reads: https://docs.pola.rs and https://fastexcel.toucantoco.dev."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError, named
from retspec.subjects.data.tables.kinds import EXCEL, PARQUET
from retspec.subjects.data.tables.table import Table, bare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retspec.subjects.data.tables.table import Dialect

INSTALL = "pip install 'retspec[tables]'"


def frame_table(content: bytes, kind: str, dialect: Dialect, shown: str, path: str) -> Table:
    """Return a table of a binary format.

    Raises SubjectError at the place `path` in the spec where the extra is missing, or the file is damaged.
    """
    try:
        if kind == EXCEL:
            return _sheet(content, dialect, shown, path)
        return _columns(content, kind, shown, path)
    except ImportError as error:
        raise SubjectError(f"{shown} is {kind}, which the extra `tables` reads: {INSTALL}", path=path) from error
    except SubjectError:
        raise
    except BaseException as error:  # a panic of polars is no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        reason = named(error) if isinstance(error, Exception) else type(error).__name__
        raise SubjectError(f"{shown} is {kind}, and cannot be read: {reason}", path=path) from error


def _columns(content: bytes, kind: str, shown: str, path: str) -> Table:
    import polars as pl

    if kind == PARQUET:
        header = tuple(pl.read_parquet_schema(BytesIO(content)))
    else:
        header = tuple(pl.read_ipc_schema(BytesIO(content)))

    def read(places: Sequence[int], _notes: list[str]) -> list[list[str]]:
        names = [header[place] for place in places]
        reader: Any = pl.read_parquet if kind == PARQUET else pl.read_ipc
        frame = reader(BytesIO(content), columns=[*dict.fromkeys(names)])
        return [_texts(frame[name], shown, path) for name in names]

    return Table(shown, header, read, (f"{shown} is read as {kind}.",) if not shown.endswith(_usual(kind)) else ())


def _usual(kind: str) -> tuple[str, ...]:
    return (".parquet", ".pq") if kind == PARQUET else (".arrow", ".feather", ".ipc")


def _texts(series: Any, shown: str, path: str) -> list[str]:
    import polars as pl

    if series.dtype.is_nested() or series.dtype == pl.Binary:
        raise SubjectError(
            f"{shown}: the column {series.name!r} holds {series.dtype}, not file names or labels; save images that "
            "are inside a table as files",
            path=path,
        )
    return ["" if text is None else text.strip() for text in series.cast(pl.String).to_list()]


def _sheet(content: bytes, dialect: Dialect, shown: str, path: str) -> Table:
    import fastexcel

    book = fastexcel.read_excel(content)
    names = book.sheet_names
    if dialect.sheet is not None and dialect.sheet not in names:
        raise SubjectError(f"{shown} has no sheet {dialect.sheet!r}; it has {', '.join(names)}", path="data.csv.sheet")
    sheet = dialect.sheet or names[0]
    named = {"header_row": None, "column_names": [*dialect.columns]} if dialect.columns else {}
    frame = book.load_sheet(sheet, dtypes="string", **named).to_polars()
    header = tuple(frame.columns)
    if dialect.columns and [bare(str(cell)) for cell in next(frame.iter_rows(), ())] == [*map(bare, dialect.columns)]:
        frame = frame[1:]
    others = ", ".join(name for name in names if name != sheet)
    notes = [f"{shown}: the sheet {sheet!r} is read; others are {others}."] if others and not dialect.sheet else []

    def read(places: Sequence[int], _notes: list[str]) -> list[list[str]]:
        wanted = [_texts(frame[header[place]], shown, path) for place in places]
        rows = [cells for cells in zip(*wanted, strict=True) if any(cells)]
        return [[*column] for column in zip(*rows, strict=True)] if rows else [[] for _ in places]

    return Table(shown, header, read, tuple(notes))

"""Tables of text: cells between commas, semicolons, tabs or bars; lists with blanks, `path label` in every line."""

from __future__ import annotations

import csv
import re
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING

from retspec.errors import SubjectError
from retspec.subjects.data.tables.table import Table, bare
from retspec.subjects.data.tables.values import integer
from retspec.subjects.data.walking import holds_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from retspec.subjects.data.tables.encodings import Text
    from retspec.subjects.data.tables.table import Dialect

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}
_LOOKED_AT = 50
"""Lines that show which delimiter gives equally many cells."""
_SEP = re.compile(r"sep=(.)\r?\n")
"""A first line by which a spreadsheet is shown the delimiter."""


def delimited(text: Text, dialect: Dialect, shown: str, path: str) -> Table:
    """Return a table of text; skips rows without any value, which a spreadsheet may leave.

    Raises SubjectError at the place `path` in the spec for a file that is empty or no table.
    """
    said = _SEP.match(text.text)
    body = text.text[said.end() :] if said else text.text
    lines = [
        *islice((line.rstrip("\r\n") for line in StringIO(body, newline=None) if line.strip(" \t\r\n,;|")), _LOOKED_AT)
    ]
    if not lines:
        raise SubjectError(f"{shown} is empty; a table has a header and a row per image", path=path)
    delimiter = dialect.delimiter or (said[1] if said else None) or _delimiter(lines, dialect, shown, path)
    width = len(dialect.columns) or len(_cells(lines[0], delimiter))
    notes = [text.note] if text.note else []
    if delimiter != "," and dialect.delimiter is None:
        notes.append(f"{shown} is read with {DELIMITERS.get(delimiter, repr(delimiter))} between its cells.")
    rows = _reader(body, delimiter, width, (shown, path, int(said is not None)))
    _, first = next(rows())
    header, skipped = _header(first, dialect)
    hint = "" if dialect.columns else _no_header(first)
    numbers: list[int] = []
    read = _by_place(rows, skipped, len(header), (shown, numbers))
    return Table(
        shown, header, read, tuple(notes), hint or _late_header(header, lines, dialect), numbers, text.is_guessed
    )


def _header(first: Sequence[str], dialect: Dialect) -> tuple[tuple[str, ...], int]:
    """Return the names of the columns, and how many rows hold them."""
    if not dialect.columns:
        return tuple(first), 1
    is_header = [bare(cell) for cell in first] == [bare(name) for name in dialect.columns]
    return dialect.columns, int(is_header)


def _no_header(first: Sequence[str]) -> str:
    """Return that a first row looks like any other, as a clause; empty where it does not."""
    if not (any(integer(cell) is not None for cell in first) or any(holds_image(cell.strip()) for cell in first)):
        return ""
    names = ", ".join(["image", "label", *(f"more{number}" for number in range(1, 20))][: len(first)])
    return f"; its first line looks like a row, not like a header: name its columns, `columns: [{names}]`"


def _late_header(header: Sequence[str], lines: Sequence[str], dialect: Dialect) -> str:
    """Return which line names the columns that the first one does not, as a clause; empty where none does."""
    wanted = {bare(name) for name in dialect.wanted}
    if dialect.columns or wanted & {bare(title) for title in header}:
        return ""
    for line in lines[1:]:
        if any(wanted & {bare(cell) for cell in _cells(line, each)} for each in DELIMITERS):
            return f"; the line {line[:60]!r} looks like the header: remove those above it"
    return ""


def _delimiter(lines: Sequence[str], dialect: Dialect, shown: str, path: str) -> str:
    """Return what is between cells: what gives the columns that the spec names, or else equally many cells."""
    if dialect.columns:
        width = len(dialect.columns)
        fits = [each for each in DELIMITERS if all(_fits(line, each, width) for line in lines)]
        if not fits:
            raise SubjectError(
                f"{shown}: nothing between its cells gives the {width} of `columns`: {lines[0][:80]!r}; "
                "say its `delimiter`",
                path=path,
            )
        return fits[0]
    wanted = {bare(name) for name in dialect.wanted}
    found = {each: len(wanted & {bare(cell) for cell in _cells(lines[0], each)}) for each in DELIMITERS}
    best = max(DELIMITERS, key=found.__getitem__)
    if found[best]:
        return best
    widths = {each: {len(_cells(line, each)) for line in lines} for each in DELIMITERS}
    return next((each for each in DELIMITERS if len(widths[each]) == 1 and widths[each] != {1}), ",")


def _fits(line: str, delimiter: str, width: int) -> bool:
    """Whether a line has so many cells; a path before the last blanks may have blanks itself."""
    cells = len(_cells(line, delimiter))
    return cells == width or (delimiter == " " and cells > width)


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return line.split()
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a cell without an end, which reading the rows reports
        return [line]


def _reader(
    body: str, delimiter: str, width: int, file: tuple[str, str, int]
) -> Callable[[], Iterator[tuple[int, list[str]]]]:
    """Return a function that gives all rows that are not blank, from the first on, each behind the line it ends on.

    file: its name, its place in the spec, and the lines before the body.
    """
    shown, path, before = file

    def rows() -> Iterator[tuple[int, list[str]]]:
        if delimiter == " ":
            lines = enumerate(StringIO(body, newline=None), before + 1)
            yield from ((number, line.rsplit(None, width - 1)) for number, line in lines if line.strip())
            return
        # strict: a quote without an end would swallow the rows after it
        reader = csv.reader(StringIO(body, newline=""), delimiter=delimiter, strict=True)
        try:
            yield from (
                (reader.line_num + before, row)
                for row in reader
                if row and (row[0] or any(cell.strip() for cell in row))
            )
        except csv.Error as error:
            reason = "a quote has no end" if "unexpected end" in str(error) else str(error)
            raise SubjectError(f"{shown}:{reader.line_num + before}: {reason}", path=path) from error

    return rows


def _by_place(
    rows: Callable[[], Iterator[tuple[int, list[str]]]], skipped: int, width: int, file: tuple[str, list[int]]
) -> Callable[[Sequence[int], list[str]], list[list[str]]]:
    """Return a function that reads columns by their places; file: its name, and a list that gets the lines of rows."""
    shown, numbers = file

    def read(places: Sequence[int], notes: list[str]) -> list[list[str]]:
        columns: list[list[str]] = [[] for _ in places]
        pairs = [(column.append, place) for column, place in zip(columns, places, strict=True)]
        longer: list[int] = []
        numbers.clear()
        for number, row in islice(rows(), skipped, None):
            numbers.append(number)
            cells = row
            if len(row) != width:
                cells = row + [""] * (width - len(row))
                if any(map(str.strip, row[width:])):
                    longer.append(number)
            for add, place in pairs:
                add(cells[place].strip())
        notes += _ragged(longer, width, shown)
        return columns

    return read


def _ragged(longer: Sequence[int], width: int, shown: str) -> Iterator[str]:
    """Yield a note about rows with more values than the header, as a comma within a value makes them."""
    if longer:
        yield (
            f"{shown}: {len(longer):,} rows have more cells than the header's {width}, line {longer[0]:,} the first; "
            "a value with a delimiter in it needs quotes."
        )

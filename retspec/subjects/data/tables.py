"""Read tables of images and labels; columns are found by name, if need be without regard to case and blanks."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from io import TextIOWrapper
from typing import TYPE_CHECKING

from retspec.errors import SubjectError, describe, did_you_mean
from retspec.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Table:
    """The rows of one file; every row is as long as the header."""

    file: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str, *, path: str, notes: list[str]) -> list[str]:
        """Return the stripped values of a column; adds to `notes` when the file spells its name differently.

        Raises SubjectError at the place `path` in the spec when there is no such column, or more than one.
        """
        index = self._index(name, path)
        if self.header[index] != name:
            notes.append(f"{self.file}: the column {name!r} is spelt {self.header[index]!r} there.")
        return [row[index].strip() for row in self.rows]

    def _index(self, name: str, path: str) -> int:
        exact = [index for index, title in enumerate(self.header) if title == name]
        like = [index for index, title in enumerate(self.header) if _bare(title) == _bare(name)]
        found = exact or like
        if len(found) == 1:
            return found[0]
        if found:
            spelt = ", ".join(repr(self.header[index]) for index in found)
            raise SubjectError(
                f"{self.file} has {len(found)} columns called {name!r} ({spelt}); rename all but one", path=path
            )
        titles = [title for title in self.header if title.strip()]
        raise SubjectError(
            f"{self.file} has no column {name!r}; it has {', '.join(map(repr, titles)) or 'none'}"
            f"{did_you_mean(name, titles)}",
            path=path,
        )


def read_table(file: Path, shown: str, *, path: str) -> Table:
    """Read comma-separated values with a header; skips rows without any value, which a spreadsheet may leave.

    Raises SubjectError at the place `path` in the spec for a file that is missing, empty or not a table.
    """
    try:
        # utf-8-sig: a spreadsheet may write a byte order mark, which would become part of the first column's name
        with TextIOWrapper(open_regular(file), encoding="utf-8-sig", newline="") as stream:
            lines = [row for row in csv.reader(stream) if any(cell.strip() for cell in row)]
    except FileNotFoundError as error:
        raise SubjectError(f"there is no file {shown!r} beside the spec ({file})", path=path) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SubjectError(f"{shown} cannot be read as a table: {describe(error)}", path=path) from error
    if not lines:
        raise SubjectError(f"{shown} is empty; a table has a header and a row per image", path=path)
    header, *rows = lines
    return Table(shown, tuple(header), tuple(_as_long_as(header, row) for row in rows))


def integer(text: str) -> int | None:
    """Return the integer that a text means, or None; a spreadsheet may write 2 as 2.0."""
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def _as_long_as(header: Sequence[str], row: list[str]) -> tuple[str, ...]:
    return tuple((row + [""] * len(header))[: len(header)])


def _bare(title: str) -> str:
    return " ".join(title.split()).casefold()

"""`Table`: the columns of one file, found by name; if need be without regard to case and blanks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retspec.errors import SubjectError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ENCODINGS = "such as cp1252, latin-1, gb18030 or shift_jis"


@dataclass(frozen=True)
class Dialect:
    """What a spec says of how its tables are written; what it leaves out is recognised where that is certain."""

    delimiter: str | None = None
    encoding: str | None = None
    columns: tuple[str, ...] = ()
    """The names of the columns of a table without a header."""
    sheet: str | None = None
    wanted: tuple[str, ...] = ()
    """The columns that the spec names."""


@dataclass(frozen=True)
class Table:
    """The columns of one file."""

    file: str
    header: tuple[str, ...]
    read: Callable[[Sequence[int], list[str]], list[list[str]]]
    """Return some columns, by their places in the header, with their cells stripped; rows without a value are none.

    Adds to its second argument what a reader should know of the rows, in whole sentences."""
    notes: tuple[str, ...] = ()
    """How it was recognised, in whole sentences."""
    hint: str = ""
    """Why a column may not be found, as a clause."""
    lines: list[int] = field(default_factory=list)
    """The line that each row ends on, from 1, once the table is read; empty for a format without lines."""
    is_guessed: bool = False
    """Whether its encoding is a guess, which holds for ASCII alone."""

    def has(self, name: str) -> bool:
        """Whether there is a column of this name, or nearly so."""
        titles = {bare(title) for title in self.header}
        return bare(name) in titles or bool(did_you_mean(name, self.header))

    def find(self, name: str, *, path: str, notes: list[str]) -> int:
        """Return the place of a column; adds to `notes` when the file spells its name differently.

        Raises SubjectError at the place `path` in the spec when there is no such column, or more than one.
        """
        exact = [index for index, title in enumerate(self.header) if title == name]
        like = [index for index, title in enumerate(self.header) if bare(title) == bare(name)]
        found = exact or like
        if len(found) > 1:
            spelt = ", ".join(repr(self.header[index]) for index in found)
            raise SubjectError(
                f"{self.file} has {len(found)} columns called {name!r} ({spelt}); rename all but one", path=path
            )
        if not found:
            titles = [title for title in self.header if title.strip()]
            raise SubjectError(
                f"{self.file} has no column {name!r}; it has {', '.join(map(repr, titles)) or 'none'}"
                f"{did_you_mean(name, titles)}{self.hint}",
                path=path,
            )
        if self.header[found[0]] != name:
            notes.append(f"{self.file}: the column {name!r} is spelt {self.header[found[0]]!r} there.")
        return found[0]

    def place(self, row: int) -> str:
        """Return the line, or else the number, of a row that is counted from 0."""
        return f"line {self.lines[row]:,}" if self.lines else f"row {row + 1:,}"

    def columns(self, places: Sequence[int], *, path: str, notes: list[str]) -> list[list[str]]:
        """Return the cells of some columns; adds to `notes` what is strange about rows.

        Raises SubjectError at the place `path` in the spec for cells that cannot be read for sure.
        """
        columns = self.read(places, notes)
        if not self.is_guessed:
            return columns
        for place, column in zip(places, columns, strict=True):
            row = next((row for row, cell in enumerate(column, 1) if not cell.isascii()), None)
            if row is not None:
                raise SubjectError(
                    f"{self.file} is not UTF-8, and row {row:,} of the column {self.header[place]!r} is more than "
                    f"ASCII: {column[row - 1]!r} in Windows-1252; say its `encoding`, {ENCODINGS}",
                    path=path,
                )
        return columns


def bare(title: str) -> str:
    """Return the name of a column without what may differ."""
    return " ".join(title.split()).casefold()

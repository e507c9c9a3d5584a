"""Rows of numbers about images: true and predicted values, labels and their probabilities, counts of pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from retspec.errors import SubjectError, did_you_mean
from retspec.records import SPLIT_COLUMN
from retspec.subjects.data.tables.arrays import array_table
from retspec.subjects.data.tables.reading import content_of, read_table
from retspec.subjects.data.tables.table import Dialect
from retspec.subjects.data.tables.values import is_missing
from retspec.subjects.predictions.split_names import left_out

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from retspec.records import PredictionFiles
    from retspec.subjects.data.tables.table import Table


class Rows(NamedTuple):
    """The rows of the judged split, with their numbers."""

    source: str
    ids: tuple[str, ...]
    numbers: NDArray[np.float64]
    """Shape (rows, columns); all finite."""
    kinds: tuple[str, ...]
    """The value of the column that tells rows of one image apart; empty without one."""
    units: NDArray[np.int64]
    """The number of the patient, or else of the image."""
    notes: tuple[str, ...]
    subgroups: Mapping[str, tuple[str, ...]]
    """Column to its value in each row."""


def read_rows(section: PredictionFiles, folder: Path, columns: Sequence[str], *, kind: str | None = None) -> Rows:
    """Return the rows of the judged split.

    columns: those of numbers; kind: the column that tells rows of one image apart.

    Raises SubjectError for a file, a column or a split that is not there, for a blank name, for a cell that is no
    finite number, and for an image that has a row already.
    """
    is_single = "" in section.files
    file = section.files["" if is_single else section.split or ""]
    split = section.split_column or SPLIT_COLUMN if is_single and section.split is not None else None
    named = [section.id or "", *filter(None, (section.group, kind, split)), *section.subgroups]
    table = _table(section, folder, file, [*named, *columns])
    notes: list[str] = []
    path = f"predictions.{section.format}"
    places = [table.find(name, path="predictions", notes=notes) for name in (*named, *columns)]
    cells = table.columns(places, path="predictions", notes=notes)
    texts = dict(zip(named, cells, strict=False))
    chosen = [row for row in range(len(cells[0])) if split is None or texts[split][row] == section.split]
    if not chosen:
        there = [*dict.fromkeys(texts[split])] if split else []
        near = f" of the split {section.split!r}{did_you_mean(section.split or '', there)}" if split else ""
        raise SubjectError(f"{file} has no row{near} below its header", path=path)
    notes += left_out(texts[split], section.split or "", file) if split else ()
    reading = _Reading(table, chosen, path)
    ids = reading.named(texts[named[0]], named[0])
    kinds = reading.named(texts[kind], kind) if kind else ("",) * len(ids)
    reading.require_once([*zip(ids, kinds, strict=True)])
    numbers = [reading.numbers(column, name) for column, name in zip(cells[len(named) :], columns, strict=True)]
    units = reading.named(texts[section.group], section.group) if section.group else ids
    subgroups = {name: tuple(texts[name][row] for row in chosen) for name in section.subgroups}
    said = tuple(dict.fromkeys((*table.notes, *notes)))
    return Rows(file, ids, _stacked(numbers), kinds, _numbered(units), said, subgroups)


def _table(section: PredictionFiles, folder: Path, file: str, wanted: Sequence[str]) -> Table:
    path = f"predictions.{section.format}"
    if section.npz is not None:
        return array_table(content_of(folder / file, file, path), file, path)
    return read_table(folder / file, file, Dialect(wanted=tuple(wanted)), path=path)


class _Reading(NamedTuple):
    """Turns the cells of some rows of a table into names and numbers, and says where one is none."""

    table: Table
    rows: Sequence[int]
    path: str

    def named(self, cells: Sequence[str], column: str) -> tuple[str, ...]:
        """Return the cells of a column in which none may be blank."""
        for row in self.rows:
            if is_missing(cells[row]):
                raise self._wrong(row, f"the column {column!r} is blank")
        return tuple(cells[row] for row in self.rows)

    def numbers(self, cells: Sequence[str], column: str) -> list[float]:
        """Return the numbers of a column; a blank is an error, since leaving it out would make another split."""
        found = []
        for row in self.rows:
            number = _number(cells[row])
            if number is None:
                what = "blank" if is_missing(cells[row]) else f"{cells[row][:40]!r}, which is no finite number"
                raise self._wrong(row, f"{column!r} is {what}")
            found.append(number)
        return found

    def require_once(self, names: Sequence[tuple[str, str]]) -> None:
        """Raise SubjectError for an image, or a structure of one, that has a second row."""
        seen: set[tuple[str, str]] = set()
        for row, name in zip(self.rows, names, strict=True):
            if name in seen:
                raise self._wrong(row, "it is of an image that has a row already; keep one of them")
            seen.add(name)

    def _wrong(self, row: int, message: str) -> SubjectError:
        return SubjectError(f"{self.table.file}: {self.table.place(row)}: {message}", path=self.path)


def _number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if number - number == 0 else None


def _stacked(columns: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    import numpy as np

    return np.column_stack([np.array(column, dtype=np.float64) for column in columns])


def _numbered(names: Sequence[str]) -> NDArray[np.int64]:
    import numpy as np

    numbers = {name: index for index, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.int64)

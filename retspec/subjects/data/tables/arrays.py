"""Arrays that `numpy.savez` wrote, as a table: a column per array, and one per column of an array with two axes."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError, named
from retspec.subjects.data.tables.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FLAT, _COLUMNS = 1, 2
"""Axes of an array that is one column, and of one that is several."""


def array_table(content: bytes, shown: str, path: str) -> Table:
    """Return a table of an `.npz` file; the columns of `probs`, of shape (rows, classes), are `probs.0`, `probs.1`, ….

    Nothing in it is run: arrays of objects, which are pickles, are refused
    (https://numpy.org/doc/stable/reference/generated/numpy.load.html).

    Raises SubjectError at the place `path` in the spec for a file that is no such archive, or whose arrays are no rows.
    """
    columns: dict[str, Any] = {}
    for name, array in _arrays(content, shown, path):
        if array.ndim not in {_FLAT, _COLUMNS}:
            raise SubjectError(
                f"{shown}: the array {name!r} has the shape {array.shape}; give a row per image, as (120,) or (120, 5)",
                path=path,
            )
        many = {f"{name}.{index}": array[:, index] for index in range(array.shape[-1])} if array.ndim > 1 else {}
        columns |= many or {name: array}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1:
        listed = ", ".join(f"{name} {len(column)}" for name, column in columns.items())
        raise SubjectError(f"{shown}: its arrays differ in their rows: {listed or 'there is none'}", path=path)
    header = tuple(columns)

    def read(places: Sequence[int], _notes: list[str]) -> list[list[str]]:
        return [[str(value).strip() for value in columns[header[place]].tolist()] for place in places]

    return Table(shown, header, read)


def _arrays(content: bytes, shown: str, path: str) -> Iterator[tuple[str, Any]]:
    import numpy as np

    try:
        with np.load(BytesIO(content), allow_pickle=False) as archive:
            yield from archive.items()
    except Exception as error:  # a damaged archive raises whatever its reader met
        if isinstance(error, SubjectError):
            raise
        raise SubjectError(f"{shown} cannot be read as arrays of NumPy (.npz): {named(error)}", path=path) from error

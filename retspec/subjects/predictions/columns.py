"""The cells of a table of predictions as class indices, probabilities and patients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError, did_you_mean
from retspec.facts import PredictionTable
from retspec.subjects.data.tables.values import integer, is_missing
from retspec.subjects.predictions.split_names import left_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from retspec.records import PredictionFiles
    from retspec.subjects.data.tables.table import Table

_ROUNDING = 0.01
"""How far from 1 probabilities may add up to: those of float16, or with three decimals in a file."""
_TWO = 2


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns that a section names, by its keys."""

    by_key: tuple[tuple[str, tuple[str, ...]], ...]

    @staticmethod
    def of(section: PredictionFiles) -> Columns:
        """Return the columns of a section, without that of splits."""
        outputs = "logits" if section.is_logits else "scores"
        group = () if section.group is None else (section.group,)
        return Columns(
            by_key=(
                ("id", (section.id or "",)),
                ("label", (section.label or "",)),
                (outputs, section.outputs),
                ("group", group),
                ("subgroups", tuple(section.subgroups)),
                ("split_column", ()),
            )
        )

    def with_split(self, column: str) -> Columns:
        """Return the same with a column of splits."""
        return replace(self, by_key=(*self.by_key[:-1], ("split_column", (column,))))

    @property
    def names(self) -> tuple[str, ...]:
        """All columns."""
        return tuple(name for _, names in self.by_key for name in names)


def class_names(section: PredictionFiles) -> tuple[str, ...]:
    """Return the name of each class: its column; of a single column, `0` and `1`."""
    return section.outputs if len(section.outputs) > 1 else ("0", "1")


def table_of(table: Table, columns: Columns, section: PredictionFiles, notes: list[str]) -> dict[str, PredictionTable]:
    """Return the rows of a table by split; under the empty name without a column of splits.

    Raises SubjectError for a column that is not there, and for cells that hold no predictions.
    """
    columns = _spread(table, columns)
    places = [
        [table.find(name, path=f"predictions.{key}", notes=notes) for name in names] for key, names in columns.by_key
    ]
    cells = iter(table.columns([place for found in places for place in found], path="predictions", notes=notes))
    (ids,), (labels,), outputs, groups, subgroups, splits = ([next(cells) for _ in found] for found in places)
    if not ids:
        raise SubjectError(f"{table.file} has no row below its header", path=f"predictions.{section.format}")
    reading = _Reading(table, section)
    scores = reading.scores(outputs, columns.by_key[2][1])
    whole = PredictionTable(
        ids=reading.named(ids, section.id or "", "id"),
        labels=reading.labels(labels, scores.shape[1], columns.by_key[2][1]),
        scores=scores,
        groups=reading.groups(groups[0]) if groups else None,
        subgroups=dict(zip(section.subgroups, map(tuple, subgroups), strict=True)),
    )
    if not splits:
        return {"": whole}
    notes += left_out(splits[0], section.split or "", table.file)
    return _divided(whole, splits[0])


def _spread(table: Table, columns: Columns) -> Columns:
    """Return the columns where one name means an array with a column per class, which a table lists one by one."""
    key, names = columns.by_key[2]
    many = tuple(title for title in table.header if title.rpartition(".")[0] == names[0])
    if len(names) > 1 or names[0] in table.header or not many:
        return columns
    return replace(columns, by_key=(*columns.by_key[:2], (key, many), *columns.by_key[3:]))


def _divided(whole: PredictionTable, splits: Sequence[str]) -> dict[str, PredictionTable]:
    import numpy as np

    found = np.array(splits)
    return {str(value): chosen(whole, np.flatnonzero(found == value)) for value in dict.fromkeys(splits) if value}


def chosen(table: PredictionTable, places: NDArray[np.int64]) -> PredictionTable:
    """Return some rows of a table; its patients are numbered again, without gaps."""
    import numpy as np

    def taken(cells: Sequence[str]) -> tuple[str, ...]:
        return tuple(cells[place] for place in places)

    groups = None if table.groups is None else np.unique(table.groups[places], return_inverse=True)[1]
    return PredictionTable(
        ids=taken(table.ids),
        labels=table.labels[places],
        scores=table.scores[places],
        groups=groups,
        subgroups={name: taken(cells) for name, cells in table.subgroups.items()},
    )


@dataclass(frozen=True)
class _Reading:
    """Turns the cells of one table into numbers, and names the place of those that are none."""

    table: Table
    section: PredictionFiles

    def named(self, cells: Sequence[str], column: str, key: str) -> tuple[str, ...]:
        """Return the names in a column in which no cell may be blank."""
        blank = next((row for row, cell in enumerate(cells) if is_missing(cell)), None)
        if blank is not None:
            raise self._wrong(blank, f"the column {column!r} is blank", key)
        return tuple(cells)

    def labels(self, cells: Sequence[str], classes: int, columns: Sequence[str]) -> NDArray[np.int64]:
        """Return class indices: integers as they are, else names of the columns of classes."""
        import numpy as np

        column = self.section.label or ""
        known = {name: index for index, name in enumerate(columns)} if len(columns) > 1 else {"false": 0, "true": 1}
        index_of: dict[str, int] = {}
        for cell in dict.fromkeys(self.named(cells, column, "label")):
            number = known.get(cell, known.get(cell.casefold(), integer(cell)))
            if number is None or not 0 <= number < classes:
                near = did_you_mean(cell, known) if number is None else ""
                message = (
                    f"{column!r} is {cell!r}, and the {classes} classes are numbered from 0 to {classes - 1} in the "
                    f"order of their columns{near}"
                )
                raise self._wrong([*cells].index(cell), message, "label")
            index_of[cell] = number
        return np.array([index_of[cell] for cell in cells], dtype=np.int64)

    def groups(self, cells: Sequence[str]) -> NDArray[np.int64]:
        """Return the numbers of patients."""
        import numpy as np

        names = self.named(cells, str(self.section.group), "group")
        number = {name: index for index, name in enumerate(dict.fromkeys(names))}
        return np.array([number[name] for name in names], dtype=np.int64)

    def scores(self, outputs: Sequence[Sequence[str]], columns: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability of each class, shape (rows, classes); NaN for a blank."""
        import numpy as np

        given = np.column_stack([self._numbers(cells, name) for cells, name in zip(outputs, columns, strict=True)])
        if self.section.is_logits:
            return _probabilities(given)
        given[~np.isfinite(given)] = np.nan  # `predictions_complete` counts them
        self._require_probabilities(given)
        return given if given.shape[1] > 1 else np.column_stack([1 - given[:, 0], given[:, 0]])

    def _numbers(self, cells: Sequence[str], column: str) -> NDArray[np.float64]:
        import numpy as np

        try:
            return np.array(["nan" if is_missing(cell) else cell for cell in cells], dtype=np.float64)
        except ValueError:
            row = next(row for row, cell in enumerate(cells) if not is_missing(cell) and _number(cell) is None)
            raise self._wrong(row, f"{column!r} is {cells[row][:40]!r}, which is no number", self._key) from None

    def _require_probabilities(self, given: NDArray[np.float64]) -> None:
        import numpy as np

        remedy = "; if these are logits, name the columns as `logits:`"
        outside = np.flatnonzero(((given < 0) | (given > 1)).any(axis=1))
        if len(outside):
            row = int(outside[0])
            value = next(value for value in given[row] if value < 0 or value > 1)
            raise self._wrong(row, f"a score is {value:.6g}, and a probability is between 0 and 1{remedy}", self._key)
        sums = given.sum(axis=1)
        wrong = np.flatnonzero((np.abs(sums - 1) > _ROUNDING) & (given.shape[1] > 1))
        if len(wrong):
            row = int(wrong[0])
            message = f"the scores add up to {sums[row]:.4g}, and probabilities of classes to 1{remedy}"
            raise self._wrong(row, message, self._key)

    @property
    def _key(self) -> str:
        return "logits" if self.section.is_logits else "scores"

    def _wrong(self, row: int, message: str, key: str) -> SubjectError:
        return SubjectError(f"{self.table.file}: {self.table.place(row)}: {message}", path=f"predictions.{key}")


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _probabilities(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the softmax of logits, or of a single one its logistic function as the second of two classes."""
    import numpy as np

    if logits.shape[1] == 1:
        logits = np.column_stack([np.zeros(len(logits)), logits[:, 0]])
    with np.errstate(invalid="ignore"):  # of what is infinite there is no softmax: NaN says so
        powers: Any = np.exp(logits - logits.max(axis=1, keepdims=True))
        result: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return result

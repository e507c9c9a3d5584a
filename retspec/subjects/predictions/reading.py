"""`PredictionReader`: the files that the section `predictions` names, as records."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.errors import SubjectError, did_you_mean
from retspec.facts import Predictions, PredictionTable
from retspec.records import SPLIT_COLUMN
from retspec.regular_files import read_regular
from retspec.subjects.data.tables.arrays import array_table
from retspec.subjects.data.tables.reading import LARGEST, content_of, read_table
from retspec.subjects.data.tables.table import Dialect
from retspec.subjects.predictions.columns import Columns, class_names, table_of
from retspec.subjects.predictions.numeric import labels_of, overlaps_of, require_kind, values_of

if TYPE_CHECKING:
    from retspec.facts import Overlaps, PredictedNumbers
    from retspec.records import PredictionFiles, Spec
    from retspec.subjects.data.tables.table import Table

INSTALL = "pip install 'retspec[predictions]'"


class PredictionReader:
    """Reads the predictions of a spec; another file with the same columns can be read beside them."""

    def __init__(self, section: PredictionFiles, folder: Path) -> None:
        """Keep a section and the folder that its files are relative to."""
        self._section = section
        self._folder = folder

    @staticmethod
    def of(spec: Spec) -> PredictionReader:
        """Return the reader of a spec; raises SubjectError when that names no predictions."""
        if spec.predictions is None:
            raise SubjectError("this needs predictions; name them as `predictions: {csv: test.csv, ...}`", path="")
        return PredictionReader(spec.predictions, Path(spec.file).resolve().parent)

    def read(self) -> Predictions:
        """Return the rows of all splits, and which of them is judged.

        Raises SubjectError for a file, a column or a split that is not there, and for cells that are no predictions.
        """
        require_libraries()
        require_kind(self._section, "classes")
        section = self._section
        notes: list[str] = []
        tables: dict[str, PredictionTable] = {}
        for split, file in section.files.items():
            found = self._read(file, f"predictions.{section.format}", notes, is_single=not split)
            tables |= found if not split else {split: found[""]}
        source = section.files.get("") or section.files[section.split or ""]
        judged = section.split or ""
        if judged not in tables:
            there = ", ".join(map(repr, tables)) or "none"
            raise SubjectError(
                f"{source}: no row is of the split {judged!r}{did_you_mean(judged, tables)}; there are {there}",
                path="predictions.split",
            )
        return Predictions(
            tables=tables,
            split=judged,
            classes=class_names(section),
            source=source,
            sha256=hashlib.sha256(read_regular(self._folder / source, LARGEST) or b"").hexdigest(),
            group=section.group,
            notes=tuple(dict.fromkeys(notes)),
        )

    def read_values(self) -> PredictedNumbers:
        """Return the judged split of a regression; raises SubjectError for what holds none."""
        require_libraries()
        return values_of(self._section, self._folder)

    def read_labels(self) -> PredictedNumbers:
        """Return the judged split of several labels an image; raises SubjectError for what holds none."""
        require_libraries()
        return labels_of(self._section, self._folder)

    def read_overlaps(self) -> Overlaps:
        """Return the judged split of masks by their counts; raises SubjectError for what holds none."""
        require_libraries()
        return overlaps_of(self._section, self._folder)

    def read_beside(self, file: str, *, path: str) -> PredictionTable:
        """Return the judged split of another file with the same columns, such as the predictions of another model.

        path: the dotted place in the spec that names the file. Raises what `read` raises.
        """
        require_libraries()
        is_single = "" in self._section.files
        found = self._read(file, path, [], is_single=is_single)
        judged = (self._section.split or "") if is_single else ""
        if judged not in found:
            raise SubjectError(f"{file}: no row is of the split {judged!r}", path=path)
        return found[judged]

    def ids_of(self, file: str, column: str | None) -> list[str]:
        """Return the names of images in a table beside the spec, in a column or else in one named like that of `id`.

        Raises SubjectError for a file or a column that is not there, and for a table without rows.
        """
        notes: list[str] = []
        name = column or self._section.id
        table = read_table(self._folder / file, file, Dialect(wanted=(name,)), path="checks")
        (found,) = table.columns([table.find(name, path="checks", notes=notes)], path="checks", notes=notes)
        if not any(found):
            raise SubjectError(f"{file} lists no image in its column {name!r}", path="checks")
        return [each for each in found if each]

    def _read(self, file: str, path: str, notes: list[str], *, is_single: bool) -> dict[str, PredictionTable]:
        """Return the rows of a file by the values of its column of splits; under the empty name where it has none."""
        section = self._section
        columns = Columns.of(section)
        if is_single and section.split is not None:
            columns = columns.with_split(section.split_column or SPLIT_COLUMN)
        table = self._table(file, path, columns)
        notes += table.notes
        return table_of(table, columns, section, notes)

    def _table(self, file: str, path: str, columns: Columns) -> Table:
        whole = self._folder / file
        if self._section.npz is not None:
            return array_table(content_of(whole, file, path), file, path)
        return read_table(whole, file, Dialect(wanted=columns.names), path=path)


def require_libraries() -> None:
    """Raise SubjectError that names the extra, unless what the checks of predictions compute with is installed."""
    try:
        import numpy as np  # noqa: F401 - whether it is there
        import scipy  # noqa: F401 - the same
    except ImportError as error:
        raise SubjectError(
            f"checks of predictions need {error.name or 'NumPy and SciPy'}, which the extra `predictions` brings: "
            f"{INSTALL}",
            path="predictions",
        ) from error

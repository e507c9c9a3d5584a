"""`PredictionReader`: the files that the section `predictions` names, as records."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import structs

from retspec.errors import SubjectError, did_you_mean
from retspec.facts import Predictions, PredictionTable
from retspec.records import SPLIT_COLUMN
from retspec.regular_files import read_regular
from retspec.subjects.data.tables.arrays import array_table
from retspec.subjects.data.tables.reading import LARGEST, content_of, read_table
from retspec.subjects.data.tables.table import Dialect
from retspec.subjects.predictions.columns import Columns, class_names, table_of
from retspec.subjects.predictions.made_from import made_from
from retspec.subjects.predictions.numeric import labels_of, overlaps_of, require_kind, values_of
from retspec.subjects.predictions.origin import Asked, origin_of, require_same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from retspec.facts import Overlaps, PredictedNumbers
    from retspec.records import PredictionFiles, Spec
    from retspec.subjects.data.tables.table import Table

INSTALL = "pip install 'retspec[predictions]'"


def quiet(_step: int, _total: int) -> None:
    """Report no progress."""


class PredictionReader:
    """Reads the predictions of a spec; another file with the same columns can be read beside them."""

    def __init__(
        self,
        section: PredictionFiles,
        folder: Path,
        weights: Callable[[], Mapping[str, str]] | None = None,
        made_from: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep a section and the folder that its files are relative to.

        weights: the files of weights of the model under test and their hashes, as in `Origin`; None without a model.
        made_from: what else of the spec predictions are made from, as there.
        """
        self.section = section
        self.folder = folder
        self.weights = weights
        self.made_from = made_from or {}
        self.listed: Callable[[str], tuple[str, ...]] = lambda _split: ()
        """The names of the images of a split, as the data of the spec lists them; none where it does not."""
        self.plant: Callable[[Any], Any] = lambda found: found
        """Returns what was read with a fault in it, for `retspec prove`."""
        self.listed_sha256: Callable[[str], str] = lambda _split: ""
        """The hash of what the data lists of a split, as in `Origin`; empty where it lists none."""

    @staticmethod
    def of(spec: Spec, weights: Callable[[], Mapping[str, str]] | None = None) -> PredictionReader:
        """Return the reader of a spec; raises SubjectError when that names no predictions."""
        if spec.predictions is None:
            raise SubjectError("this needs predictions; name them as `predictions: {csv: test.csv, ...}`", path="")
        folder = Path(spec.file).resolve().parent
        return PredictionReader(spec.predictions, folder, weights if spec.model else None, made_from(spec))

    @property
    def is_made(self) -> bool:
        """Whether retspec makes the predictions."""
        return self.section.make is not None

    def read(self, progress: Callable[[int, int], None] = quiet) -> Predictions:  # noqa: ARG002 - for those it makes
        """Return the rows of all splits, and which of them is judged.

        progress: called with the batch that is predicted, and their number, where retspec makes the predictions.

        Raises SubjectError for a file, a column or a split that is not there, for cells that are no predictions, and
        for files that retspec made from other weights than those of the model of the spec.
        """
        found: Predictions = self.plant(self.found())
        return found

    def found(self) -> Predictions:
        """Return what `read` does, of files that are there."""
        require_libraries()
        require_kind(self.section, "classes")
        section = self.section
        notes: list[str] = []
        tables: dict[str, PredictionTable] = {}
        for split, file in section.files.items():
            found = self._read(file, f"predictions.{section.format}", notes, is_single=not split)
            tables |= found if not split else {split: found[""]}
            notes += self._origin_notes(file, f"predictions.{section.format}")
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
            sha256=hashlib.sha256(read_regular(self.folder / source, LARGEST) or b"").hexdigest(),
            group=section.group,
            notes=tuple(dict.fromkeys(notes)),
        )

    def read_values(self, progress: Callable[[int, int], None] = quiet) -> PredictedNumbers:  # noqa: ARG002 - as in `read`
        """Return the judged split of a regression; raises SubjectError for what holds none."""
        require_libraries()
        found: PredictedNumbers = self.plant(self._from_origin(values_of(self.section, self.folder)))
        return found

    def read_labels(self, progress: Callable[[int, int], None] = quiet) -> PredictedNumbers:  # noqa: ARG002 - as in `read`
        """Return the judged split of several labels an image; raises SubjectError for what holds none."""
        require_libraries()
        found: PredictedNumbers = self.plant(self._from_origin(labels_of(self.section, self.folder)))
        return found

    def _from_origin(self, found: PredictedNumbers) -> PredictedNumbers:
        """Return the same with a note of where it is from; raises SubjectError for that of other weights."""
        notes = self._origin_notes(found.source, f"predictions.{self.section.format}")
        return structs.replace(found, notes=(*found.notes, *notes))

    def read_overlaps(self) -> Overlaps:
        """Return the judged split of masks by their counts; raises SubjectError for what holds none."""
        require_libraries()
        return overlaps_of(self.section, self.folder)

    def _origin_notes(self, file: str, path: str) -> Iterator[str]:
        """Yield a note about a file that retspec made; raises SubjectError where it is no longer that of the model."""
        whole = self.folder / file
        if (origin := origin_of(whole, file, path)) is not None:
            sha256 = hashlib.sha256(read_regular(whole, LARGEST) or b"").hexdigest()
            require_same(origin, sha256, self._asked(origin.split), file, path)
            yield from origin.notes(file)

    def _asked(self, split: str) -> Asked | None:
        return None if self.weights is None else Asked(self.weights(), self.made_from, self.listed_sha256(split))

    def read_beside(self, file: str, *, path: str) -> PredictionTable:
        """Return the judged split of another file with the same columns, such as the predictions of another model.

        path: the dotted place in the spec that names the file. Raises what `read` raises.
        """
        require_libraries()
        is_single = "" in self.section.files
        found = self._read(file, path, [], is_single=is_single)
        judged = (self.section.split or "") if is_single else ""
        if judged not in found:
            raise SubjectError(f"{file}: no row is of the split {judged!r}", path=path)
        return found[judged]

    def ids_of(self, file: str, column: str | None) -> list[str]:
        """Return the names of images in a table beside the spec, in a column or else in one named like that of `id`.

        Raises SubjectError for a file or a column that is not there, and for a table without rows.
        """
        notes: list[str] = []
        name = column or self.section.id or ""
        table = read_table(self.folder / file, file, Dialect(wanted=(name,)), path="checks")
        (found,) = table.columns([table.find(name, path="checks", notes=notes)], path="checks", notes=notes)
        if not any(found):
            raise SubjectError(f"{file} lists no image in its column {name!r}", path="checks")
        return [each for each in found if each]

    def _read(self, file: str, path: str, notes: list[str], *, is_single: bool) -> dict[str, PredictionTable]:
        """Return the rows of a file by the values of its column of splits; under the empty name where it has none."""
        section = self.section
        columns = Columns.of(section)
        if is_single and section.split is not None:
            columns = columns.with_split(section.split_column or SPLIT_COLUMN)
        table = self._table(file, path, columns)
        notes += table.notes
        return table_of(table, columns, section, notes)

    def _table(self, file: str, path: str, columns: Columns) -> Table:
        whole = self.folder / file
        if self.section.npz is not None:
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

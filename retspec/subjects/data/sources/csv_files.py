"""`data: {csv: {train: labels.csv, images: folder, image_column: ..., label_column: ...}}`: tables of images."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from retspec.errors import SubjectError, did_you_mean
from retspec.facts import Dataset
from retspec.plugin import dataset_source
from retspec.subjects.data.folders import Folders
from retspec.subjects.data.split_words import SPLITS
from retspec.subjects.data.tables.files import paths_of
from retspec.subjects.data.tables.labelling import labelled
from retspec.subjects.data.tables.reading import read_table
from retspec.subjects.data.tables.rows import PATH, Wanted, divided, rows_of
from retspec.subjects.data.tables.table import Dialect
from retspec.subjects.data.walking import holds_image
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retspec.subjects.data.tables.rows import Rows

_SHOWN = 10
"""Names that `listing` shows."""
File = Annotated[str, Meta(min_length=1, description="A table of any format, relative to this spec.")]
Folder = Annotated[str, Meta(min_length=1)]
Extension = Annotated[str, Meta(pattern=r"^\.\w+$")]
Value = str | int | bool


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The keys under `data.csv`."""

    train: File | None = None
    val: File | None = None
    test: File | None = None
    split_column: Annotated[str, Meta(description="The column that divides `train`.")] | None = None
    splits: (
        Annotated[
            dict[str, Value | list[Any]],
            Meta(description="Its values of each split."),
        ]
        | None
    ) = None
    images: Annotated[
        Folder | dict[str, Folder],
        Meta(description="The folder of the images, relative to this spec; or one for each split: {train: ..., ...}."),
    ] = "."
    image_column: Annotated[
        str | list[str] | dict[str, str],
        Meta(description="The column of file names, or several."),
    ]
    label_column: (
        Annotated[
            str | list[str],
            Meta(description="The column of labels; several hold 1 or 0."),
        ]
        | None
    ) = None
    group_column: (
        Annotated[str, Meta(description="The column of what must not be in two splits, such as the patient.")] | None
    ) = None
    subgroup_columns: (
        Annotated[
            list[Annotated[str, Meta(min_length=1)]],
            Meta(description="Such as the sex or the camera, for predictions."),
        ]
        | None
    ) = None
    extension: (
        Annotated[
            Extension | list[str],
            Meta(description="Put behind file names without it."),
        ]
        | None
    ) = None
    columns: Annotated[list[str], Meta(min_length=1)] | None = None
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None


@dataset_source
def csv(tables: Tables, folder: Path) -> Dataset:
    """List the rows of tables: integers are labels as they are; words are numbered by their order, over all splits.

    Columns are found by their exact names, else without regard to case and blanks around them. What a table is shows
    in its bytes: its delimiter, its encoding and its format are recognised where that is certain, and noted.

    Raises SubjectError for tables and columns that are not there.
    """
    _require_sense(tables)
    notes: list[str] = []
    columns = tables.image_column
    wanted = Wanted(
        images=_several(list(columns.values()) if isinstance(columns, dict) else columns),
        labels=_several(tables.label_column),
        group=tables.group_column,
        subgroups=tuple(dict.fromkeys(tables.subgroup_columns or ())),
    )
    rows = _rows(tables, wanted, folder, notes)
    if not rows:
        raise SubjectError("`data.csv` names no table; give train, val or test", path=PATH)
    disk = Folders(folder)
    extensions = _several(tables.extension)
    files = {
        name: [paths_of(column, _images_of(tables, name), extensions, disk) for column in each.images]
        for name, each in rows.items()
    }
    folders = dict.fromkeys(_images_of(tables, name) for name in rows)
    notes += _beside(disk, {file for columns in files.values() for column in columns for file in column})
    return Dataset(
        str(folder),
        labelled(rows, files, wanted.labels),
        tuple(dict.fromkeys(notes)),
        tuple(folders),
        inputs=tuple(columns) if isinstance(columns, dict) else (),
        subgroups=wanted.subgroups,
    )


def _several(given: str | list[str] | None) -> tuple[str, ...]:
    """Return a single value as several."""
    return (given,) if isinstance(given, str) else tuple(given or ())


def _rows(tables: Tables, wanted: Wanted, folder: Path, notes: list[str]) -> dict[str, Rows]:
    """Return the rows of every split."""
    rows: dict[str, Rows] = {}
    for name in SPLITS:
        file = getattr(tables, name)
        if file is None:
            continue
        is_divided = name == "train" and tables.split_column is not None
        asked = Wanted(**{**vars(wanted), "split": tables.split_column if is_divided else None})
        names = (*asked.images, *asked.labels, *filter(None, (asked.group, asked.split)), *asked.subgroups)
        dialect = Dialect(tables.delimiter, tables.encoding, tuple(tables.columns or ()), tables.sheet, names)
        table = read_table(folder / file, file, dialect, path=f"{PATH}.{name}")
        notes += table.notes
        read = rows_of(table, asked, split=name, may_lack_labels=bool(rows), notes=notes)
        made = divided(read, _shares(tables), file, notes) if is_divided else {name: read}
        if twice := made.keys() & rows.keys():
            raise SubjectError(
                f"{listing(sorted(twice))} is a table here, and a value of `split_column` in {tables.train}",
                path=f"{PATH}.{name}",
            )
        rows |= made
    return {name: rows[name] for name in SPLITS if name in rows}


def _require_sense(tables: Tables) -> None:
    """Raise SubjectError for keys that say nothing: the schema has no room for what each may hold."""
    if tables.delimiter is not None and len(tables.delimiter) != 1:
        raise SubjectError(f"{tables.delimiter!r} is not one character", path=f"{PATH}.delimiter")
    if not all(tables.image_column or [""]):
        raise SubjectError("name the column of the files", path=f"{PATH}.image_column")
    if tables.split_column is not None and tables.train is None:
        raise SubjectError("`split_column` divides the table `train`, and there is none", path=f"{PATH}.split_column")
    if tables.splits is not None and tables.split_column is None:
        raise SubjectError("`splits` says what values of `split_column` mean; name that column", path=f"{PATH}.splits")


def _shares(tables: Tables) -> dict[str, list[str]]:
    """Return split to the values that it has; raises SubjectError for a split that there is not."""
    given = tables.splits or {}
    if strange := next((split for split in given if split not in SPLITS), None):
        raise SubjectError(
            f"there is no split {strange!r}{did_you_mean(strange, SPLITS)}; there are {', '.join(SPLITS)}",
            path=f"{PATH}.splits.{strange}",
        )
    return {
        split: [str(value) for value in (values if isinstance(values, list) else [values])]
        for split, values in given.items()
    }


def _beside(disk: Folders, listed: set[str]) -> Iterator[str]:
    """Yield a note about images that lie beside those of the tables, in the same folders."""
    for below in dict.fromkeys(file.rpartition("/")[0] for file in listed):
        start = f"{below}/" if below else ""
        names = [start + name for name in disk.listed(below)]
        unlisted = [name[len(start) :] for name in names if name not in listed]
        extra = [name for name in unlisted if holds_image(name) and not name.startswith(".")]
        if extra:
            counted = f"{len(extra):,} of {len(names) - len(unlisted) + len(extra):,} images"
            yield f"{below or '.'}: no table lists {counted}: {listing(_first_sorted(extra))}; see `extra_files`."


def _first_sorted(names: list[str]) -> list[str]:
    """Return names of which those that a list shows are the first in order: sorting half a million takes long."""
    return [*nsmallest(_SHOWN, names), *names[_SHOWN:]]


def _images_of(tables: Tables, split: str) -> str:
    if isinstance(tables.images, str):
        return tables.images
    if split not in tables.images:
        raise SubjectError(f"`images` names no folder for {split}", path=f"{PATH}.images")
    return tables.images[split]

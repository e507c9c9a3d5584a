"""`data: {csv: {train: labels.csv, images: folder, image_column: ..., label_column: ...}}`: tables of images."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.errors import SubjectError
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

File = Annotated[
    str,
    Meta(
        min_length=1,
        description="A table, relative to this spec: CSV, TSV, a list in a text file, JSON lines; with the extra "
        "`tables` Parquet, Arrow and Excel, too.",
    ),
]
Folder = Annotated[str, Meta(min_length=1)]
Column = Annotated[str, Meta(min_length=1)]
Extension = Annotated[str, Meta(pattern=r"^\.\w+$")]
Value = str | int | bool


@dataclass(frozen=True, kw_only=True)
class Shares:
    """The values of the column of splits that each split has."""

    train: Value | list[Value] | None = None
    val: Value | list[Value] | None = None
    test: Value | list[Value] | None = None


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The keys under `data.csv`."""

    train: File | None = None
    val: File | None = None
    test: File | None = None
    split_column: (
        Annotated[
            str,
            Meta(
                min_length=1,
                description="The column that divides the table `train` into splits.",
                examples=["split", "fold"],
            ),
        ]
        | None
    ) = None
    splits: (
        Annotated[
            Shares,
            Meta(
                description="Which values of `split_column` are which split; without `train`, it has all others.",
                examples=[{"val": 0}, {"train": [1, 2, 3, 4], "val": [0]}],
            ),
        ]
        | None
    ) = None
    images: Annotated[
        Folder | dict[str, Folder],
        Meta(description="The folder of the images, relative to this spec; or one for each split: {train: ..., ...}."),
    ] = "."
    image_column: Annotated[
        Column | list[Column] | dict[str, Column],
        Meta(
            description="The column of file names. Several give a model several inputs, in their order, or by the "
            "names of the arguments of `forward`.",
            examples=["id_code", ["Left-Fundus", "Right-Fundus"], {"left": "Left-Fundus", "right": "Right-Fundus"}],
        ),
    ]
    label_column: (
        Annotated[
            Column | list[Column],
            Meta(
                description="The column of labels. Several hold 1 or 0 for a class each, whose number is its place.",
                examples=["diagnosis", ["N", "D", "G", "C", "A", "H", "M", "O"]],
            ),
        ]
        | None
    ) = None
    group_column: (
        Annotated[
            str, Meta(min_length=1, description="The column of what must not be in two splits, such as the patient.")
        ]
        | None
    ) = None
    extension: (
        Annotated[
            Extension | list[Extension],
            Meta(
                description="Put behind file names that lack it; of several, the first that gives a file.",
                examples=[".png", [".jpg", ".jpeg", ".png"]],
            ),
        ]
        | None
    ) = None
    columns: (
        Annotated[
            list[Column],
            Meta(
                min_length=1,
                description="The names of the columns, for tables without a header.",
                examples=[["image", "label"]],
            ),
        ]
        | None
    ) = None
    delimiter: (
        Annotated[
            str,
            Meta(min_length=1, max_length=1, description="What is between cells; by default what gives the columns."),
        ]
        | None
    ) = None
    encoding: (
        Annotated[
            str,
            Meta(
                min_length=1,
                description="How text is encoded, by Python's names; by default UTF-8, or UTF-16 if that is clear.",
                examples=["cp1252", "gb18030"],
            ),
        ]
        | None
    ) = None
    sheet: Annotated[str, Meta(min_length=1, description="The sheet of a workbook; by default the first.")] | None = (
        None
    )


@dataset_source
def csv(tables: Tables, folder: Path) -> Dataset:
    """List the rows of tables: integers are labels as they are; words are numbered by their order, over all splits.

    Columns are found by their exact names, else without regard to case and blanks around them. What a table is shows
    in its bytes: its delimiter, its encoding and its format are recognised where that is certain, and noted.

    Raises SubjectError for tables and columns that are not there.
    """
    notes: list[str] = []
    columns = tables.image_column
    wanted = Wanted(
        images=_several(list(columns.values()) if isinstance(columns, dict) else columns),
        labels=_several(tables.label_column),
        group=tables.group_column,
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
    notes += _beside(folder, {file for columns in files.values() for column in columns for file in column})
    return Dataset(
        str(folder),
        labelled(rows, files, wanted.labels),
        tuple(dict.fromkeys(notes)),
        tuple(folders),
        inputs=tuple(columns) if isinstance(columns, dict) else (),
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
        names = (*asked.images, *asked.labels, *filter(None, (asked.group, asked.split)))
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
    _require_division(tables)
    return {name: rows[name] for name in SPLITS if name in rows}


def _require_division(tables: Tables) -> None:
    """Raise SubjectError for keys that divide nothing."""
    if tables.split_column is not None and tables.train is None:
        raise SubjectError("`split_column` divides the table `train`, and there is none", path=f"{PATH}.split_column")
    if tables.splits is not None and tables.split_column is None:
        raise SubjectError("`splits` says what values of `split_column` mean; name that column", path=f"{PATH}.splits")


def _shares(tables: Tables) -> dict[str, list[str]]:
    """Return split to the values that it has."""
    given = {} if tables.splits is None else asdict(tables.splits)
    return {
        split: [str(value) for value in (values if isinstance(values, list) else [values])]
        for split, values in given.items()
        if values is not None
    }


def _beside(folder: Path, listed: set[str]) -> Iterator[str]:
    """Yield a note about images that lie beside those of the tables, in the same folders."""
    for below in dict.fromkeys(file.rpartition("/")[0] for file in listed):
        if not (folder / below).is_dir():
            continue
        with os.scandir(folder / below) as entries:
            names = [entry.name for entry in entries]
        start = f"{below}/" if below else ""
        unlisted = [name for name in names if start + name not in listed]
        extra = sorted(name for name in unlisted if holds_image(name) and not name.startswith("."))
        if extra:
            counted = f"{len(extra):,} of {len(names) - len(unlisted) + len(extra):,} images"
            yield f"{below or '.'}: no table lists {counted}: {listing(extra)}; see `extra_files`."


def _images_of(tables: Tables, split: str) -> str:
    if isinstance(tables.images, str):
        return tables.images
    if split not in tables.images:
        raise SubjectError(f"`images` names no folder for {split}", path=f"{PATH}.images")
    return tables.images[split]

"""`data: {csv: {train: labels.csv, images: folder, image_column: ..., label_column: ...}}`: a table per split."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.errors import SubjectError
from retspec.facts import Dataset, Example, Split
from retspec.plugin import dataset_source
from retspec.subjects.data.groups import same_group
from retspec.subjects.data.tables import Table, integer, read_table
from retspec.subjects.data.walking import holds_image
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

SPLITS = ("train", "val", "test")
PATH = "data.csv"

File = Annotated[str, Meta(min_length=1, description="A table with a header, relative to this spec.")]
Folder = Annotated[str, Meta(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The keys under `data.csv`."""

    train: File | None = None
    val: File | None = None
    test: File | None = None
    images: Annotated[
        Folder | dict[str, Folder],
        Meta(description="The folder of the images, relative to this spec; or one for each split: {train: ..., ...}."),
    ] = "."
    image_column: Annotated[
        str, Meta(min_length=1, description="The column of file names.", examples=["id_code", "Image name"])
    ]
    label_column: Annotated[
        str, Meta(min_length=1, description="The column of labels.", examples=["diagnosis", "Retinopathy grade"])
    ]
    group_column: (
        Annotated[
            str, Meta(min_length=1, description="The column of what must not be in two splits, such as the patient.")
        ]
        | None
    ) = None
    extension: (
        Annotated[str, Meta(pattern=r"^\.\w+$", description="Put behind file names that lack it.", examples=[".png"])]
        | None
    ) = None


@dataclass(frozen=True)
class _Row:
    file: str
    text: str
    group: str | None


@dataset_source
def csv(tables: Tables, folder: Path) -> Dataset:
    """List the rows of tables: integers are labels as they are; words are numbered by their order, over all splits.

    Columns are found by their exact names, else without regard to case and blanks around them.

    Raises SubjectError for tables and columns that are not there.
    """
    notes: list[str] = []
    rows = {name: _rows(tables, name, folder, notes) for name in SPLITS if getattr(tables, name) is not None}
    if not rows:
        raise SubjectError("`data.csv` names no table; give train, val or test", path=PATH)
    classes = _classes(row.text for split in rows.values() for row in split)
    splits = {name: _split(split, classes) for name, split in rows.items()}
    folders = dict.fromkeys(_images_of(tables, name) for name in splits)
    notes += _beside(folder, {row.file for split in rows.values() for row in split})
    return Dataset(str(folder), splits, tuple(dict.fromkeys(notes)), tuple(folders))


def _beside(folder: Path, listed: set[str]) -> Iterator[str]:
    """Yield a note about images that lie beside those of the tables, in the same folders."""
    for below in dict.fromkeys(os.path.dirname(file) for file in listed):  # noqa: PTH120 - a text
        if not (folder / below).is_dir():
            continue
        with os.scandir(folder / below) as entries:
            names = [entry.name for entry in entries if holds_image(entry.name) and not entry.name.startswith(".")]
        extra = sorted(name for name in names if os.path.normpath(os.path.join(below, name)) not in listed)  # noqa: PTH118 - a text
        if extra:
            counted = f"{len(extra):,} of {len(names):,} images"
            yield f"{below or '.'}: no table lists {counted}: {listing(extra)}; see `extra_files`."


def _rows(tables: Tables, split: str, folder: Path, notes: list[str]) -> list[_Row]:
    file = getattr(tables, split)
    table = read_table(folder / file, file, path=f"{PATH}.{split}")
    images = _images_of(tables, split)
    names = _column(table, tables, "image_column", notes)
    labels = _column(table, tables, "label_column", notes)
    groups = _column(table, tables, "group_column", notes)
    return [
        _Row(os.path.normpath(Path(images, _with_extension(name, tables.extension))), label, same_group(group))
        for name, label, group in zip(names, labels, groups, strict=True)
    ]


def _column(table: Table, tables: Tables, option: str, notes: list[str]) -> Sequence[str]:
    """Return the values of the column that an option names; empty strings if the option is not given."""
    name = getattr(tables, option)
    return [""] * len(table.rows) if name is None else table.column(name, path=f"{PATH}.{option}", notes=notes)


def _images_of(tables: Tables, split: str) -> str:
    if isinstance(tables.images, str):
        return tables.images
    if split not in tables.images:
        raise SubjectError(f"`images` names no folder for {split}", path=f"{PATH}.images")
    return tables.images[split]


def _with_extension(name: str, extension: str | None) -> str:
    return name if extension is None or name.lower().endswith(extension.lower()) else name + extension


def _classes(texts: Iterable[str]) -> dict[str, int]:
    """Return class name to label. If any text is an integer, all should be: other texts are then not a class."""
    distinct = {text for text in texts if text}
    numbers = sorted({label for text in distinct if (label := integer(text)) is not None})
    if numbers:
        return {str(number): number for number in numbers}
    return {text: label for label, text in enumerate(sorted(distinct))}


def _split(rows: Iterable[_Row], classes: Mapping[str, int]) -> Split:
    """Return a split with the classes that occur in it."""
    examples = tuple(_example(row, classes) for row in rows)
    own = {example.class_name for example in examples}
    return Split(examples, {name: label for name, label in classes.items() if name in own})


def _example(row: _Row, classes: Mapping[str, int]) -> Example:
    number = integer(row.text)
    name = row.text if number is None else str(number)
    return Example(row.file, classes.get(name), name, row.group)

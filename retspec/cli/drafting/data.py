"""The section `data` of a drafted spec, and the checks of files: from what a config names and what is on disk."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from retspec.cli.drafting.recognition import Found, is_sized
from retspec.cli.drafting.stored import StoredImages
from retspec.errors import SubjectError
from retspec.subjects.config_paths import find
from retspec.subjects.data.split_words import SPLITS
from retspec.subjects.data.tables.reading import read_table
from retspec.subjects.data.tables.table import Dialect, Table
from retspec.subjects.data.tables.values import spelling
from retspec.subjects.data.walking import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from retspec.cli.drafting.disk import Disk
    from retspec.cli.drafting.foundation import Foundation

COLUMNS = {
    "image_column": (
        *("image", "image_id", "image_path", "image_name", "image name", "images", "img", "img_path", "id_code"),
        *("filename", "file_name", "file", "path", "name"),
    ),
    "label_column": (
        *("label", "labels", "diagnosis", "level", "grade", "retinopathy grade", "dr_grade", "adjudicated_dr_grade"),
        *("class", "target", "y"),
    ),
    "split_column": ("split", "fold", "folds", "kfold", "subset", "partition", "is_valid", "set"),
    "group_column": ("patient", "patient_id", "patientid", "patient id", "subject", "subject_id"),
}
"""Usual names of the columns in tables of images, in lower case."""
_USUAL = Dialect(wanted=tuple(name for names in COLUMNS.values() for name in names))


class DraftedData:
    """The parts of a config that are about images."""

    def __init__(self, found: dict[str, Found], disk: Disk, foundation: Foundation | None = None) -> None:
        self._found = found
        self._foundation = foundation
        self._disk = disk
        self._tables = [word for word in SPLITS if word in found]
        self._folder = None if self._tables else found.get("images")
        self._stored = StoredImages(found, disk)

    @property
    def names_files(self) -> bool:
        """Whether the config names tables, shards, or a folder of images whose layout does not rule out a source."""
        if self._tables or self._stored.splits:
            return True
        return self._folder is not None and self._splits_below() != []

    @property
    def has_transform(self) -> bool:
        """Whether the config gives everything that turns an image into a tensor."""
        return {"size", "mean", "std"} <= self._found.keys()

    @property
    def _is_divided(self) -> bool:
        """Whether a single table has a column of splits or folds."""
        table = self._table("train") if self._tables == ["train"] else None
        return table is not None and any(True for _ in self._division(table))

    def section(self) -> Iterator[str]:
        """Yield the lines of the section `data`."""
        if not self.names_files:
            yield from self._noise()
            return
        yield "# Your images. Batches are taken from the first split, seeded and balanced over the classes."
        yield "data:"
        stored = [] if self._tables else [*self._stored.section()]
        if stored or self._folder is None:
            yield from stored or self._csv()
        else:
            yield from self._imagefolder(self._folder)
        yield from self._transform()

    def checks(self) -> Iterator[str]:
        """Yield the criteria about files; as comments where they need your input first."""
        if not self.names_files:
            return
        if self._tables or self._stored.splits:
            yield "missing_files: 0"
        yield "corrupt_images: 0                  # every file is decoded, once"
        splits = self._tables or self._stored.splits or self._splits_below() or SPLITS
        several = len(splits) > 1 or self._is_divided
        yield f"{'' if several else '# '}split_leakage: 0"
        yield "max_class_imbalance: 10"
        yield self._labels()
        if self.has_transform:
            sized = "" if is_sized(self._found) else "# "
            yield f"{sized}input_size: {{}}                     # `transform` gives what the model was built for"
        yield self._normalization()

    # The section ----------------------------------------------------------------------------------

    def _noise(self) -> Iterator[str]:
        yield "# A seeded batch of noise is enough to see whether a setup can learn."
        yield "data:"
        yield f"  synthetic: {f'{{input_size: {self._input_size()}}}' if 'size' in self._found else '{}'}"
        if self._folder is not None:
            yield "  # There is no folder train, val or test in it; name yours under `splits: {train: ...}`."
            yield f"  # imagefolder: {{root: {self._disk.reference(self._folder)}}}"

    def _csv(self) -> Iterator[str]:
        yield "  csv:"
        yield from (f"    {word}: {self._disk.reference(self._found[word])}" for word in self._tables)
        tables = [table for word in self._tables if (table := self._table(word))]
        images = self._images_folder(tables)
        yield f"    {images[0]}"
        for option in COLUMNS:
            if option != "split_column":
                yield from (f"    {line}" for line in self._column(option, tables))
        if self._tables == ["train"] and tables:
            yield from (f"    {line}" for line in self._division(tables[0]))
        if tables and images[1] and (extension := self._extension(tables, images[1])):
            yield f"    extension: {extension}"

    def _images_folder(self, tables: Sequence[Table]) -> tuple[str, Path | None]:
        """Return the line that names the folder of images, and the folder; by default one at the first table."""
        if "images" in self._found:
            return f"images: {self._disk.reference(self._found['images'])}", self._disk.path(self._found["images"])
        table = self._disk.path(self._found[self._tables[0]])
        if table is None:
            return "# images: images   # the folder of the images, relative to this file", None
        folder = _holder(table.parent, tables)
        return f"images: {json.dumps(self._disk.seen_from_spec(folder))}", folder

    def _column(self, option: str, tables: Sequence[Table]) -> Iterator[str]:
        """Yield how a column is called: as the config says, else by the usual names."""
        if option in self._found:
            yield f"{option}: {self._found[option].reference}"
            return
        titles = {title.strip() for title in tables[0].header} if tables else set()
        shared = titles.intersection(*({title.strip() for title in table.header} for table in tables))
        known = {title.casefold(): title for title in shared}
        usual = next((known[name] for name in COLUMNS[option] if name in known), None)
        if usual is not None:
            yield f"{option}: {json.dumps(usual, ensure_ascii=False)}"
        elif option != "group_column":
            yield f"{option}: {COLUMNS[option][0]}   # a guess: name the column of your tables"
        else:
            yield "# group_column: patient   # what must not be in two splits"

    def _division(self, table: Table) -> Iterator[str]:
        """Yield the keys that divide a single table, if it has a column of splits or folds."""
        known = {title.strip().casefold(): place for place, title in enumerate(table.header)}
        name = next((name for name in COLUMNS["split_column"] if name in known), None)
        if name is None:
            return
        (cells,) = table.read([known[name]], [])
        values = sorted({spelling(cell) for cell in cells if cell}, key=lambda value: (len(value), value))
        yield f"split_column: {json.dumps(table.header[known[name]].strip(), ensure_ascii=False)}"
        words = {word for known in SPLITS.values() for word in known}
        if values and not words.issuperset(values):
            yield f"splits: {{val: {json.dumps(values[0])}}}   # a guess; train has {', '.join(values[1:8])}"

    def _extension(self, tables: Sequence[Table], folder: Path) -> str:
        """Return the suffix that turns the names in the tables into files in a folder; empty when unknown."""
        names = _first_row(tables[0])
        return next((end for name in names for end in SUFFIXES if find(f"{name}{end}", [str(folder)])), "")

    def _table(self, word: str) -> Table | None:
        path = self._disk.path(self._found[word])
        try:
            return None if path is None else read_table(path, path.name, _USUAL, path="data.csv")
        except SubjectError:
            return None  # a run reports what is wrong with it

    def _imagefolder(self, root: Found) -> Iterator[str]:
        yield "  imagefolder:"
        yield f"    root: {self._disk.reference(root)}"
        named = [split for split in SPLITS if self._is_split(split, root)]
        if named:
            words = ", ".join(f"{split}: {self._found[f'{split}_split'].reference}" for split in named)
            yield f"    splits: {{{words}}}"
        else:
            yield "    # splits: {train: train, val: val, test: test}   # by default those of them that are there"

    def _is_split(self, split: str, root: Found) -> bool:
        """Whether the config names the folder of a split, and there is one, as far as can be seen."""
        named, below = self._found.get(f"{split}_split"), self._disk.path(root)
        return named is not None and (below is None or bool(find(str(named.value), [str(below)])))

    def _splits_below(self) -> list[str] | None:
        """Return which folders of splits the folder of images holds; None if there is no such folder."""
        root = None if self._folder is None else self._disk.path(self._folder)
        if root is None:
            return None
        named = {split: self._found.get(f"{split}_split") for split in SPLITS}
        names = {split: split if found is None else str(found.value) for split, found in named.items()}
        return [split for split, name in names.items() if find(name, [str(root)]) or find(split, [str(root)])]

    def _transform(self) -> Iterator[str]:
        if self.has_transform:
            yield "  transform:"
            yield f"    input_size: {self._input_size()}"
            yield from (f"    {word}: {self._found[word].reference}" for word in ("mean", "std"))
            return
        if self._foundation is not None:
            yield from self._foundation.transform(self._found)
            return
        yield "  # transform: timm   # the default: as timm resolves it from the model; or a mapping of"
        yield from (
            f"  #   {key}: {self._found[word].reference if word in self._found else example}"
            for key, word, example in (
                ("input_size", "size", "[3, 224, 224]"),
                ("mean", "mean", "[0.485, 0.456, 0.406]"),
                ("std", "std", "[0.229, 0.224, 0.225]"),
            )
        )

    def _input_size(self) -> str:
        size = self._found["size"]
        if isinstance(size.value, int):
            return f"[3, {size.reference}, {size.reference}]"
        if len(size.value) == 2:  # noqa: PLR2004 - height and width
            return f"[3, {size.item(0)}, {size.item(1)}]"
        return size.reference

    # The checks -----------------------------------------------------------------------------------

    def _labels(self) -> str:
        if "name" in self._found:
            return "labels_out_of_range: 0"
        if "classes" in self._found:
            return f"labels_out_of_range: {{with: {{num_classes: {self._found['classes'].reference}}}}}"
        return "# labels_out_of_range: {with: {num_classes: 5}}"

    def _normalization(self) -> str:
        """Compare the config with what the model says of itself; for weights in a file only you know the values."""
        if self.has_transform and "name" in self._found and "weights" not in self._found:
            return "normalization_atol: 1e-3"
        return "# normalization_atol: {limit: 1e-3, with: {mean: [...], std: [...]}}   # as the backbone was trained"


def _first_row(table: Table) -> list[str]:
    """Return the cells of the first row that have a value."""
    columns = table.read(range(len(table.header)), [])
    return [cell for column in columns for cell in column[:1] if cell]


def _holder(folder: Path, tables: Sequence[Table]) -> Path:
    """Return the folder, this one or one in it, that holds a file of the first row; this one where none does."""
    names = _first_row(tables[0]) if tables else []
    below = sorted(each for each in folder.iterdir() if each.is_dir())
    ends = ("", *SUFFIXES)
    tried = (each for each in (folder, *below) for name in names for end in ends if _is_file(each / f"{name}{end}"))
    return next(tried, folder)


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - no error for what is no path

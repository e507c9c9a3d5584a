"""`data: {webdataset: {train: "train-{000000..000146}.tar", ...}}`: shards of webdataset, read as plain tar archives.

https://github.com/webdataset/webdataset#the-webdataset-format
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.errors import SubjectError
from retspec.facts import Dataset
from retspec.plugin import dataset_source
from retspec.subjects.data.split_words import SPLITS
from retspec.subjects.data.tables.labelling import labelled
from retspec.subjects.data.tars.braces import MOST, TooManyNamesError, expanded
from retspec.subjects.data.tars.listing import Fields, ListedShards, listed
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

PATH = "data.webdataset"
Shards = Annotated[
    str | list[str], Meta(description="Its shards, relative to this spec; `{000000..000146}` stands for all of them.")
]


@dataclass(frozen=True, kw_only=True)
class WebDataset:
    """The keys under `data.webdataset`."""

    train: Shards | None = None
    val: Shards | None = None
    test: Shards | None = None
    image: Annotated[
        str | list[str] | dict[str, str],
        Meta(description="The extension of the image, `jpg;png` for one of both, or several images."),
    ] = "jpg;jpeg;png;webp;tif;tiff;bmp;ppm;pgm"
    label: (
        Annotated[
            str | list[str],
            Meta(description="The extension of the label, or `json.FIELD`; several hold 1 or 0. By default `cls`."),
        ]
        | None
    ) = None
    group: Annotated[str, Meta(description="The same for what must not be in two splits: `json.patient`.")] | None = (
        None
    )


@dataset_source
def webdataset(options: WebDataset, folder: Path) -> Dataset:
    """List the samples in shards of webdataset: `KEY.jpg` with its label in `KEY.cls`, or in a field of `KEY.json`.

    Integers are labels as they are; words are numbered by their order, over all splits. An image is called by its shard
    and its name there, as in `train-000000.tar/10_left.jpg`. Its bytes are read as they are stored.

    Raises SubjectError for shards that are not there, or that are damaged.
    """
    shards = {name: _names(given, name) for name in SPLITS if (given := getattr(options, name)) is not None}
    if not shards:
        raise SubjectError("`data.webdataset` names no shard; give train, val or test", path=PATH)
    for name, names in shards.items():
        _require_there(folder, name, names)
    notes: list[str] = []
    images = options.image
    fields = Fields.of(images, options.label, options.group, PATH)
    splits: dict[str, ListedShards] = {}
    for name, names in shards.items():
        splits[name] = listed(folder, names, name, fields, notes, path=f"{PATH}.{name}", is_first=not splits)
    notes += _beside(folder, {shard for names in shards.values() for shard in names})
    return Dataset(
        str(folder),
        labelled(
            {name: each.rows for name, each in splits.items()},
            {name: each.rows.images for name, each in splits.items()},
            fields.label_names,
        ),
        tuple(notes),
        inputs=tuple(images) if isinstance(images, dict) else (),
        stored={file: where for each in splits.values() for file, where in each.stored.items()},
    )


def _names(given: str | list[str], split: str) -> list[str]:
    """Return the shards that patterns stand for."""
    names: list[str] = []
    for pattern in [given] if isinstance(given, str) else given:
        if "://" in pattern or pattern.startswith("pipe:"):
            raise SubjectError(f"{pattern!r} is not on this machine; name local shards", path=f"{PATH}.{split}")
        try:
            names += map(os.path.normpath, expanded(pattern))
        except TooManyNamesError as error:
            raise SubjectError(f"{pattern!r} stands for more than {MOST:,} shards", path=f"{PATH}.{split}") from error
    twice = next((name for name in dict.fromkeys(names) if names.count(name) > 1), None) if names else ""
    if twice is not None:
        what = f"names {twice} twice" if twice else "names no shard"
        raise SubjectError(f"the split {split} {what}", path=f"{PATH}.{split}")
    return names


def _require_there(folder: Path, split: str, names: list[str]) -> None:
    """Raise SubjectError for shards that are not there; says what is there instead."""
    missing = [name for name in names if not (folder / name).exists()]
    if not missing:
        return
    there = listing([*_archives(folder, missing)]) or "none"
    counted = f"{len(missing):,} of {len(names):,} shards are" if len(names) > 1 else "the shard is"
    raise SubjectError(f"{counted} not there: {listing(missing)}; there are {there}", path=f"{PATH}.{split}")


def _archives(folder: Path, names: Iterable[str]) -> Iterator[str]:
    """Yield the tar archives in the folders of some shards."""
    for below in dict.fromkeys(map(os.path.dirname, names)):
        if (folder / below).is_dir():
            found = sorted(each.name for each in (folder / below).iterdir() if each.name.endswith(".tar"))
            yield from (os.path.normpath(f"{below}/{name}" if below else name) for name in found)


def _beside(folder: Path, names: set[str]) -> Iterator[str]:
    if rest := [name for name in _archives(folder, sorted(names)) if name not in names]:
        yield f"no split reads {listing(rest)}, beside the shards that are named."

"""`data: {imagefolder: {root: ..., splits: {...}}}`: a folder per split, in it a folder per class, in it the images."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.errors import SubjectError, did_you_mean
from retspec.facts import Dataset, Example, Split
from retspec.plugin import dataset_source
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterator

SPLITS = ("train", "val", "test")
SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
"""`IMG_EXTENSIONS` of https://github.com/pytorch/vision/blob/main/torchvision/datasets/folder.py"""
PATH = "data.imagefolder"


@dataclass(frozen=True, kw_only=True)
class Folders:
    """Names of the folders of the splits, below the root."""

    train: Annotated[str, Meta(min_length=1)] | None = None
    val: Annotated[str, Meta(min_length=1)] | None = None
    test: Annotated[str, Meta(min_length=1)] | None = None


@dataclass(frozen=True, kw_only=True)
class ImageFolder:
    """The keys under `data.imagefolder`."""

    root: Annotated[str, Meta(min_length=1, description="The folder of the dataset, relative to this spec.")]
    splits: Annotated[Folders, Meta(description="By default those of train, val and test that are there.")] = field(
        default_factory=Folders
    )


@dataset_source
def imagefolder(options: ImageFolder, folder: Path) -> Dataset:
    """List `root/train|val|test/<class>/*.jpg` as torchvision's ImageFolder does: classes are numbered by their names.

    Raises SubjectError for folders that are not there.
    """
    root = folder / options.root
    if not root.is_dir():
        raise SubjectError(f"there is no folder {options.root!r} beside the spec ({root})", path=f"{PATH}.root")
    splits: dict[str, Split] = {}
    notes: list[str] = []
    for name, split_folder in _split_folders(options.splits, root).items():
        splits[name], others = _split(root, split_folder)
        if others:
            notes.append(f"{name}: {len(others)} files are not images by their names: {listing(others)}.")
    return Dataset(str(root), splits, tuple(notes))


def _split_folders(named: Folders, root: Path) -> dict[str, str]:
    """Return split to folder name, of the named splits, or of the existing ones when none is named."""
    given = {name: value for name in SPLITS if (value := getattr(named, name)) is not None}
    below = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
    for name, value in given.items():
        if not (root / value).is_dir():
            raise SubjectError(
                f"there is no folder {value!r} in {root}{did_you_mean(value, below)}; there are {listing(below)}",
                path=f"{PATH}.splits.{name}",
            )
    found = given or {name: name for name in SPLITS if name in below}
    if not found:
        raise SubjectError(
            f"{root} holds no folder train, val or test; name yours under `splits` (there are {listing(below)})",
            path=f"{PATH}.root",
        )
    return found


def _split(root: Path, folder: str) -> tuple[Split, list[str]]:
    """Return a split, and the files in it that are not images by their names."""
    top = root / folder
    names = sorted(entry.name for entry in os.scandir(top) if entry.is_dir())
    classes = {name: label for label, name in enumerate(names)}
    examples: list[Example] = []
    others: list[str] = []
    for name, label in classes.items():
        for path in _files(top / name):
            file = os.path.relpath(path, root)
            if path.lower().endswith(SUFFIXES):
                examples.append(Example(file, label, name))
            elif not Path(path).name.startswith("."):
                others.append(file)
    return Split(tuple(examples), classes), others


def _files(folder: Path) -> Iterator[str]:
    """Yield all files below a folder, in the order in which torchvision lists them."""
    for below, _, names in sorted(os.walk(folder, followlinks=True)):
        yield from (str(Path(below, name)) for name in sorted(names))

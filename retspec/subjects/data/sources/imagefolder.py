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
from retspec.subjects.data.split_words import SPLITS
from retspec.subjects.data.walking import (
    ARCHIVES,
    files_below,
    folders_in,
    holds_image,
    is_image,
    is_litter,
    suffixes_of,
)
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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


@dataclass
class _Listed:
    """One split as it is listed, and what a reader should know of it."""

    split: Split
    others: list[str]
    notes: list[str]


@dataset_source
def imagefolder(options: ImageFolder, folder: Path) -> Dataset:
    """List `root/train|val|test/<class>/*.jpg` as torchvision's ImageFolder does: classes are numbered by their names.

    `valid`, `validation` and `dev` are read as `val` where there is none, and so are the other usual names, in any
    case.

    Raises SubjectError for folders that are not there.
    """
    root = folder / options.root
    if not root.is_dir():
        raise SubjectError(f"there is no folder {options.root!r} beside the spec ({root})", path=f"{PATH}.root")
    named = _split_folders(options.splits, root)
    listed = {name: _listed(name, root, split_folder) for name, split_folder in named.items()}
    return Dataset(
        str(root),
        {name: each.split for name, each in listed.items()},
        (*_beside(root, named), *(note for each in listed.values() for note in each.notes)),
        folders=(".",),
        others=tuple(file for each in listed.values() for file in each.others),
    )


def _split_folders(named: Folders, root: Path) -> dict[str, str]:
    """Return split to folder name, of the named splits, or of the existing ones when none is named."""
    given = {name: value for name in SPLITS if (value := getattr(named, name)) is not None}
    below = folders_in(root)
    shown = listing(below) or "none"
    for name, value in given.items():
        if not (root / value).is_dir():
            raise SubjectError(
                f"there is no folder {value!r} in {root}{did_you_mean(value, below)}; there are {shown}",
                path=f"{PATH}.splits.{name}",
            )
    usual = {name: _usual(words, below) for name, words in SPLITS.items()}
    found = given or {name: word for name, word in usual.items() if word is not None}
    if not found:
        raise SubjectError(
            f"{root} holds no folder train, val or test; name yours under `splits` (there are {shown})",
            path=f"{PATH}.root",
        )
    return found


def _usual(words: Sequence[str], below: Sequence[str]) -> str | None:
    """Return the first of some words that a folder is called, in this case or in another."""
    exact = next((word for word in words if word in below), None)
    return exact or next((name for word in words for name in below if name.casefold() == word), None)


def _beside(root: Path, named: Mapping[str, str]) -> Iterator[str]:
    """Yield notes about folders in the root: those read under another name, and those that are in no split."""
    for split, folder in named.items():
        if folder != split and folder.casefold() in SPLITS[split]:
            yield f"the folder {folder!r} is read as the split {split}."
    if any(not Path(folder).parts for folder in named.values()):  # `.`, the root itself
        return
    used = {Path(folder).parts[0] for folder in named.values()}
    yield from _notes_on_files(root, "beside the splits", root)
    rest = [name for name in folders_in(root) if name not in used and not name.startswith(".")]
    if rest:
        names = listing([repr(name) for name in rest])
        read = ", ".join(named.values())
        yield f"{root.name}: no split reads the folder {names} beside {read}; name it under `splits`, or remove it."


def _listed(name: str, root: Path, folder: str) -> _Listed:
    """List a split, the files in it that are not images by their names, and what is strange about its folders."""
    top = root / folder
    classes = {each: label for label, each in enumerate(folders_in(top))}
    examples: list[Example] = []
    others: list[str] = []
    hidden: list[str] = []
    looped: list[str] = []
    for class_name, label in classes.items():
        for path in files_below(top / class_name, looped):
            file = os.path.relpath(path, root)
            if is_image(path):
                examples.append(Example(file, label, class_name))
                if any(part.startswith(".") for part in Path(path).relative_to(top / class_name).parts):
                    hidden.append(file)
            elif not Path(path).name.startswith("."):
                others.append(file)
    links = [os.path.relpath(path, root) for path in looped]
    split = Split(tuple(examples), classes)
    notes = [*_notes(split, others, links), *_hidden_notes(hidden), *_notes_on_files(top, "in no class folder", root)]
    return _Listed(split, others, [f"{name}: {note}" for note in notes])


def _notes(split: Split, others: list[str], links: list[str]) -> Iterator[str]:
    if others:
        total = f"{len(others):,} of {len(others) + len(split.examples):,} files"
        yield f"{total} are not images by their names ({suffixes_of(others)}), and are left out: {listing(others)}."
    yield from _class_notes(split)
    if links:
        yield (
            f"{listing(links)}: a link to a folder above it, which is not followed; torchvision would list the same "
            "images again and again."
        )


def _hidden_notes(hidden: Sequence[str]) -> Iterator[str]:
    if hidden:
        counted = "1 image is" if len(hidden) == 1 else f"{len(hidden):,} images are"
        yield (
            f"{counted} hidden, or in a hidden folder, and counted, as in torchvision: {listing(hidden)}; remove what "
            "no person put there."
        )


def _notes_on_files(folder: Path, where: str, root: Path) -> Iterator[str]:
    """Yield notes about what lies directly in a folder of folders, and is read by nobody."""
    with os.scandir(folder) as scanned:
        entries = sorted((entry for entry in scanned if not entry.is_dir()), key=lambda entry: entry.name)
    names = [os.path.relpath(entry.path, root) for entry in entries if entry.is_file() and not is_litter(entry.name)]
    if images := [name for name in names if holds_image(name)]:
        yield f"{len(images):,} images are {where}, and are left out: {listing(images)}."
    if archives := [name for name in names if name.lower().endswith(ARCHIVES)]:
        yield f"{listing(archives)}: an archive, which is not looked into."
    if dangling := [
        os.path.relpath(entry.path, root) for entry in entries if not entry.is_file() and entry.is_symlink()
    ]:
        yield f"{listing(dangling)}: a link that leads nowhere, and is left out."


def _class_notes(split: Split) -> Iterator[str]:
    hidden = [f"{name!r} is class {label}" for name, label in split.classes.items() if name.startswith(".")]
    if hidden:
        yield f"a hidden folder counts as a class, as in torchvision: {listing(hidden)}; remove it."
    empty = _without_images(split.classes, split.examples)
    if empty and split.examples:
        yield (
            f"no image is in the class folder {listing([repr(name) for name in empty])}; it has a number all the same, "
            "and torchvision's ImageFolder refuses it."
        )


def _without_images(classes: Iterable[str], examples: Iterable[Example]) -> list[str]:
    used = {example.class_name for example in examples}
    return [name for name in classes if name not in used]

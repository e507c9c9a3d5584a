"""`data: {datasets: {root: ..., splits: {...}}}`: what `save_to_disk` of Hugging Face's `datasets` wrote.

A folder of a Dataset holds `dataset_info.json`, `state.json` and Arrow files, one of a DatasetDict holds such folders:
https://huggingface.co/docs/datasets/process#save
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.errors import SubjectError, did_you_mean
from retspec.facts import Dataset
from retspec.plugin import dataset_source
from retspec.subjects.data.arrow.labels import texts_of
from retspec.subjects.data.arrow.saved import SavedRows, SavedSplit, is_saved, json_of
from retspec.subjects.data.split_words import SPLITS
from retspec.subjects.data.tables.labelling import numbered
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PATH = "data.datasets"


@dataclass(frozen=True, kw_only=True)
class SavedSplits:
    """Names of the splits in the DatasetDict."""

    train: Annotated[str, Meta(min_length=1)] | None = None
    val: Annotated[str, Meta(min_length=1)] | None = None
    test: Annotated[str, Meta(min_length=1)] | None = None


@dataclass(frozen=True, kw_only=True)
class Saved:
    """The keys under `data.datasets`."""

    root: Annotated[str, Meta(min_length=1, description="The folder that `save_to_disk` wrote, relative to this spec.")]
    splits: Annotated[SavedSplits, Meta(description="By default those of train, val and test that are there.")] = field(
        default_factory=SavedSplits
    )
    image_column: Annotated[str, Meta(description="By default the only one of the feature Image.")] | None = None
    label_column: Annotated[str, Meta(description="By default the only one of the feature ClassLabel.")] | None = None
    group_column: (
        Annotated[str, Meta(description="The column of what must not be in two splits, such as the patient.")] | None
    ) = None


@dataset_source
def datasets(saved: Saved, folder: Path) -> Dataset:
    """List the rows of a Dataset or a DatasetDict of Hugging Face that `save_to_disk` wrote.

    The names of a ClassLabel are the classes. An image is called by its split, its row and its file name, as in
    `train[7]/10_left.jpeg`: `dataset["train"][7]` is that row. Its bytes are read as they are stored.

    Raises SubjectError for folders, files and columns that are not there, or that are damaged.
    """
    root = folder / saved.root
    notes: list[str] = []
    read: dict[str, tuple[SavedSplit, SavedRows]] = {}
    for name, (called, below) in _split_folders(saved, root, notes).items():
        split = SavedSplit(root, below, called, path=f"{PATH}.root")
        columns = {
            option: split.column(option, getattr(saved, option), path=f"{PATH}.{option}", may_lack=bool(read))
            for option in ("image_column", "label_column", "group_column")
        }
        image, label, group = columns.values()
        read[name] = split, split.rows(image=image, label=label, group=group)
    numbers = numbered({text for _, rows in read.values() for text in texts_of(rows.labels, rows.feature)})
    made = {name: split.examples(rows, numbers, notes) for name, (split, rows) in read.items()}
    return Dataset(
        str(root),
        {name: each.split for name, each in made.items()},
        tuple(notes),
        stored={file: where for each in made.values() for file, where in each.stored.items()},
    )


def _split_folders(saved: Saved, root: Path, notes: list[str]) -> dict[str, tuple[str, str]]:
    """Return split to its name and its folder below the root."""
    _require_saved(root, saved.root)
    given = {name: value for name in SPLITS if (value := getattr(saved.splits, name)) is not None}
    if is_saved(root):
        if given:
            raise SubjectError(f"{saved.root} is a single Dataset, and has no splits to name", path=f"{PATH}.splits")
        return {"train": ("train", ".")}
    there = _there(root, saved.root)
    for name, value in given.items():
        if value not in there:
            raise SubjectError(
                f"{saved.root} has no split {value!r}{did_you_mean(value, there)}; it has {listing(there)}",
                path=f"{PATH}.splits.{name}",
            )
    usual = {name: next((word for word in words if word in there), None) for name, words in SPLITS.items()}
    found = given or {name: each for name, each in usual.items() if each is not None}
    if not found:
        raise SubjectError(
            f"{saved.root} has no split train, val or test; name yours under `splits` (there are {listing(there)})",
            path=f"{PATH}.root",
        )
    notes += _notes(found, there, saved.root)
    return {name: (each, each) for name, each in found.items()}


def _notes(found: Mapping[str, str], there: Sequence[str], shown: str) -> Iterator[str]:
    for name, each in found.items():
        if each != name and each in SPLITS[name]:
            yield f"the split {each!r} is read as {name}."
    if rest := [repr(each) for each in there if each not in found.values()]:
        yield f"{shown}: no split reads {listing(rest)} beside {', '.join(found.values())}; name it under `splits`."


def _there(root: Path, shown: str) -> list[str]:
    """Return the splits that a DatasetDict names."""
    names = json_of(root / "dataset_dict.json", f"{shown}/dataset_dict.json", f"{PATH}.root").get("splits")
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise SubjectError(f"{shown}/dataset_dict.json names no splits", path=f"{PATH}.root")
    return names


def _require_saved(root: Path, shown: str) -> None:
    """Raise SubjectError for what is no folder that `save_to_disk` wrote."""
    if root.is_file():
        raise SubjectError(
            f"{shown} is a file; name the folder that `save_to_disk` wrote, which holds its dataset_info.json",
            path=f"{PATH}.root",
        )
    if not root.is_dir():
        raise SubjectError(f"there is no folder {shown!r} beside the spec ({root})", path=f"{PATH}.root")
    if is_saved(root) or (root / "dataset_dict.json").is_file():
        return
    has_info, has_state = (root / "dataset_info.json").is_file(), (root / "state.json").is_file()
    lacking = "dataset_info.json" if not has_info else "state.json"
    why = f"has no {lacking}" if has_info or has_state else "has neither dataset_dict.json nor dataset_info.json"
    raise SubjectError(f"{shown} {why}: it is not a folder that `save_to_disk` wrote", path=f"{PATH}.root")

"""List the samples of the shards of a split, with their labels and groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from retspec.errors import SubjectError
from retspec.facts import Stored
from retspec.subjects.data.tables.rows import Rows
from retspec.subjects.data.tables.values import is_missing
from retspec.subjects.data.tars.fields import Field
from retspec.subjects.data.tars.shards import samples_of
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from retspec.subjects.data.tars.shards import Sample


@dataclass(frozen=True)
class Fields:
    """The files of a sample that a spec names."""

    images: tuple[tuple[str, ...], ...]
    """The extensions of each image; of several the first that a sample has."""
    labels: tuple[Field, ...]
    group: Field | None
    is_guessed: bool
    """Whether the spec names no label."""

    @staticmethod
    def of(
        image: str | list[str] | dict[str, str], label: str | list[str] | None, group: str | None, path: str
    ) -> Fields:
        """Return the files that the keys of a spec name; raises SubjectError for an image that has no extension."""
        several = [image] if isinstance(image, str) else [*(image.values() if isinstance(image, dict) else image)]
        images = tuple(tuple(each.lower().removeprefix(".") for each in one.split(";") if each) for one in several)
        if not images or not all(images):
            raise SubjectError("name the extension of the images, such as jpg", path=f"{path}.image")
        labels = tuple(
            Field(each, f"{path}.label") for each in ([label] if isinstance(label, str) else label or ["cls"])
        )
        of_group = None if group is None else Field(group, f"{path}.group")
        for each in (*labels, *filter(None, (of_group,))):
            each.require_text()
        return Fields(images, labels, of_group, is_guessed=label is None)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The classes, where each has a field of its own."""
        return tuple(each.spelt.removeprefix("json.") for each in self.labels)


@dataclass
class ListedShards:
    """The samples of a split, and where their images are stored."""

    rows: Rows
    stored: dict[str, Stored]


def listed(  # noqa: PLR0913 - what is read, and what is reported
    folder: Path, names: Sequence[str], split: str, fields: Fields, notes: list[str], *, path: str, is_first: bool
) -> ListedShards:
    """Return the samples of all shards of a split; adds to `notes` what a reader should know of them."""
    found = [(name, sample) for name in names for sample in samples_of(folder / name, name, path)]
    stored: dict[str, Stored] = {}
    images = [[_image(name, sample, wanted, stored) for name, sample in found] for wanted in fields.images]
    labels = [[field.text(sample, folder / name) for name, sample in found] for field in fields.labels]
    group = fields.group
    groups = None if group is None else [group.text(sample, folder / name) for name, sample in found]
    if found and not any(map(any, labels)):
        _require_guess(found, fields, is_first=is_first)
        notes.append(f"{split}: no sample has a file {_spelt(fields)}: checks of labels give no verdict on it.")
        labels = []
    if group is not None and groups is not None and found:
        notes += _without_group(group, groups, split)
    return ListedShards(Rows(images=images, labels=labels, groups=groups, subgroups=[], lines=[], table=""), stored)


def _image(shard: str, sample: Sample, extensions: Sequence[str], stored: dict[str, Stored]) -> str:
    """Return the name of an image of a sample, and note where it is; one that is not there has a name, too."""
    extension = next((each for each in extensions if each in sample.members), None)
    if extension is None:
        return f"{shard}/{PurePosixPath(sample.key)}.{extensions[0]}"
    file = f"{shard}/{sample.names[extension]}"
    stored[file] = Stored(shard, *sample.members[extension])
    return file


def _require_guess(found: Sequence[tuple[str, Sample]], fields: Fields, *, is_first: bool) -> None:
    """Raise SubjectError for a label that a spec names, and no sample of the first split has."""
    if fields.is_guessed or not is_first:
        return
    there = listing([f"`{each}`" for each in dict.fromkeys(each for _, sample in found for each in sample.members)])
    raise SubjectError(
        f"no sample of the first split has {_spelt(fields)}; there are {there}", path=fields.labels[0].at
    )


def _without_group(group: Field, texts: Sequence[str], split: str) -> Iterator[str]:
    """Yield a note where some samples have no group; raises SubjectError where all have none."""
    without = sum(is_missing(text) for text in texts)
    if without == len(texts):
        raise SubjectError(f"no sample of {split} has {group.spelt}", path=group.at)
    if without:
        yield f"{split}: {without:,} of {len(texts):,} samples have no {group.spelt}."


def _spelt(fields: Fields) -> str:
    return listing([f"`{each.spelt}`" for each in fields.labels])

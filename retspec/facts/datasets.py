"""Facts about a dataset of image files: what its source lists, what reading it showed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Example:
    """One image with its label."""

    file: str
    """Path of the image, from the dataset's folder."""
    label: int | None
    """The number that a loss sees; None for a text in a table that is no number."""
    class_name: str
    """The class folder, or the label as it stands in the table."""
    group: str | None = None
    """Whatever must not be in two splits, such as the patient."""


@dataclass(frozen=True)
class Split:
    """The examples of a split, and the number of each class in it."""

    examples: tuple[Example, ...]
    classes: Mapping[str, int]
    """Class name to label, for every class that the split knows by itself, whether it has examples or not."""


@dataclass(frozen=True)
class Dataset:
    """What a source of files gives: lists, for which no image was opened. The first split is the one to train on."""

    folder: str
    """Where the paths of the examples start."""
    splits: Mapping[str, Split]
    notes: tuple[str, ...] = ()
    """What a person should know of how the lists were read, in whole sentences."""

    def path(self, example: Example) -> Path:
        """Return the path of an example's image."""
        return Path(self.folder, example.file)

    @property
    def first(self) -> Split:
        """The split to train on."""
        return next(iter(self.splits.values()))


@dataclass(frozen=True)
class SharedGroup:
    """A group of images, such as a patient, in more than one split."""

    group: str
    splits: tuple[str, ...]


@dataclass(frozen=True)
class Splits:
    """What the lists of a dataset say, without an image being opened."""

    counts: Mapping[str, Mapping[str, int]]
    """Split to class to number of examples; the classes are those of all splits."""
    classes: Mapping[str, Mapping[str, int]]
    """Split to class to label."""
    missing: tuple[str, ...]
    """Listed files that are not there."""
    shared_groups: tuple[SharedGroup, ...]
    has_groups: bool
    """Whether some example belongs to a group at all."""
    notes: tuple[str, ...]


@dataclass(frozen=True)
class CorruptImage:
    """A file that could not be decoded to its last pixel."""

    file: str
    reason: str


@dataclass(frozen=True)
class Copy:
    """An example as one of several with the same bytes."""

    split: str
    file: str
    class_name: str


@dataclass(frozen=True)
class Images:
    """What reading and decoding every file of a dataset once showed."""

    read: int
    """Files that were there to be read, corrupt ones included."""
    corrupt: tuple[CorruptImage, ...]
    identical: tuple[tuple[Copy, ...], ...]
    """Examples whose files hold the same bytes, two or more at a time."""


@dataclass(frozen=True)
class OutsideLabel:
    """An example whose label no output of the model stands for."""

    file: str
    label: str


@dataclass(frozen=True)
class Labels:
    """The labels of a dataset, held against the number of classes."""

    num_classes: int
    outside: tuple[OutsideLabel, ...]

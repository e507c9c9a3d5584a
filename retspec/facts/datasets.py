"""Facts about a dataset of image files: what its source lists, and what reading it showed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct


class Example(Struct, frozen=True):
    """One image with its label."""

    file: str
    """Path of the image, relative to the dataset's folder."""
    label: int | None
    """The class index that a loss gets; None for text in a table that is not a number."""
    class_name: str
    """The class folder, or the label as written in the table."""
    group: str | None = None
    """What must not be in two splits, such as the patient."""


class Split(Struct, frozen=True):
    """The examples of a split, and the class indices that it uses."""

    examples: tuple[Example, ...]
    classes: Mapping[str, int]
    """Class name to class index, for every class that the split itself defines, with or without examples."""


class Dataset(Struct, frozen=True):
    """What a source of files returns: lists, made without opening an image. The first split is for training."""

    folder: str
    """The folder that the paths of the examples are relative to."""
    splits: Mapping[str, Split]
    notes: tuple[str, ...] = ()
    """What a reader should know about how the lists were read, in whole sentences."""

    def path(self, example: Example) -> Path:
        """Return the path of an example's image."""
        return Path(self.folder, example.file)

    @property
    def first(self) -> Split:
        """The split to train on."""
        return next(iter(self.splits.values()))


class SharedGroup(Struct, frozen=True):
    """A group of images, such as a patient, in more than one split."""

    group: str
    splits: tuple[str, ...]


class Splits(Struct, frozen=True):
    """What the lists of a dataset say, without opening an image."""

    counts: Mapping[str, Mapping[str, int]]
    """Split to class name to number of examples; the classes are those of all splits."""
    classes: Mapping[str, Mapping[str, int]]
    """Split to class name to class index."""
    missing: tuple[str, ...]
    """Listed files that do not exist."""
    shared_groups: tuple[SharedGroup, ...]
    has_groups: bool
    """Whether any example belongs to a group."""
    notes: tuple[str, ...]
    """Those of the dataset."""


class CorruptImage(Struct, frozen=True):
    """A file that could not be decoded to its last pixel."""

    file: str
    reason: str


class Copy(Struct, frozen=True):
    """One of several examples with the same bytes."""

    split: str
    file: str
    class_name: str


class Images(Struct, frozen=True):
    """What reading and decoding each file of a dataset once showed."""

    read: int
    """Number of files that were read, corrupt ones included."""
    corrupt: tuple[CorruptImage, ...]
    identical: tuple[tuple[Copy, ...], ...]
    """Groups of two or more examples whose files hold the same bytes."""


class OutsideLabel(Struct, frozen=True):
    """An example whose label has no output in the model."""

    file: str
    label: str
    """The label as written."""


class Labels(Struct, frozen=True):
    """The labels of a dataset, compared with the number of classes."""

    num_classes: int
    outside: tuple[OutsideLabel, ...]

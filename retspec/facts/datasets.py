"""Facts about a dataset of image files: what its source lists, and what reading it showed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from retspec.regular_files import Part

MOST_NAMED = 1_000
"""Files that a fact names where there may be as many as a dataset has."""


class Example(Struct, frozen=True, gc=False):
    """One image with its label, or several images with one."""

    file: str
    """Path of the image, relative to the dataset's folder."""
    label: int | tuple[int, ...] | None
    """The class index that a loss gets; of several label columns, 1 or 0 for each; None for text that is neither."""
    class_name: str
    """The class folder, or the label as written in the table; of several columns, the names of those that are 1."""
    group: str | None = None
    """What must not be in two splits, such as the patient."""
    also: tuple[str, ...] = ()
    """The further images of the same example, such as the other eye."""
    line: int = 0
    """The line of the table that it ends on, from 1; 0 where there is none."""
    subgroups: tuple[str, ...] = ()
    """Its value in each column of `Dataset.subgroups`, as written; empty where the dataset has none."""

    @property
    def files(self) -> tuple[str, ...]:
        """All images of the example."""
        return (self.file, *self.also)


class Split(Struct, frozen=True):
    """The examples of a split, and the class indices that it uses."""

    examples: tuple[Example, ...]
    classes: Mapping[str, int]
    """Class name to class index, for every class that the split itself defines, with or without examples."""
    has_labels: bool = True
    """Whether it has labels at all; a public test table has none."""
    table: str = ""
    """The table that its examples are from, as the spec names it."""

    def place(self, example: Example) -> str:
        """Return the table and the line of an example, `train.csv:5`; empty where it has none."""
        return f"{self.table}:{example.line}" if example.line else ""


class Stored(Struct, frozen=True, gc=False):
    """Where the bytes of an image are that is no file by itself, but is stored inside of one, as they are."""

    holder: str
    """Path of the file that holds it, relative to the dataset's folder."""
    start: int
    """Where it begins, in bytes."""
    size: int
    """In bytes."""


class Dataset(Struct, frozen=True):
    """What a source of files returns: lists, made without opening an image. The first split is for training."""

    folder: str
    """The folder that the paths of the examples are relative to."""
    splits: Mapping[str, Split]
    notes: tuple[str, ...] = ()
    """What a reader should know about how the lists were read, in whole sentences."""
    folders: tuple[str, ...] = ()
    """Folders, relative to `folder`, of which every image should be in a split."""
    others: tuple[str, ...] = ()
    """Files in the splits' own folders that are left out, since they are no images by their names."""
    eyes: Eyes | None = None
    """What its names say of eyes; a source may leave it out."""
    inputs: tuple[str, ...] = ()
    """The arguments of `forward` that get the several images of an example; empty for their order, or for one image."""
    stored: Mapping[str, Stored] = {}
    """Those of the listed images that are stored inside of other files, such as tar archives."""
    subgroups: tuple[str, ...] = ()
    """Columns such as the sex or the camera; each example has a value for each."""

    @property
    def examples(self) -> tuple[Example, ...]:
        """The examples of all splits."""
        return tuple(example for split in self.splits.values() for example in split.examples)

    def files(self) -> Iterator[tuple[str, str, Example]]:
        """Yield every image of every example: the split, the file, the example."""
        for name, split in self.splits.items():
            for example in split.examples:
                yield name, example.file, example
                for file in example.also:
                    yield name, file, example

    def distinct_files(self) -> dict[str, None]:
        """Return the image files, each once, in their order."""
        found: dict[str, None] = {}
        for split in self.splits.values():
            for example in split.examples:
                found[example.file] = None
                for file in example.also:
                    found[file] = None
        return found

    def path(self, example: Example) -> Path:
        """Return the path of an example's first image."""
        return Path(self.folder, example.file)

    def content(self, file: str) -> Path | Part:
        """Return where the bytes of a listed image are: in a file, or in a part of one."""
        stored = self.stored.get(file)
        if stored is None:
            return Path(self.folder, file)
        return Part(Path(self.folder, stored.holder), stored.start, stored.size, file)

    @property
    def first(self) -> Split:
        """The split to train on."""
        return next(iter(self.splits.values()))


class SharedGroup(Struct, frozen=True):
    """A group of images, such as a patient, in more than one split."""

    group: str
    splits: tuple[str, ...]


class EyePair(Struct, frozen=True):
    """Two files without a group that are named alike but for the word for an eye."""

    first: str
    second: str
    splits: tuple[str, str]
    pattern: str
    """A regular expression whose first parentheses match what they share."""


class Eyes(Struct, frozen=True):
    """Pairs of files without a group that are named like the two eyes of one patient: `10_left`, `10_right`."""

    pairs: int
    across: int
    """Number of those whose files are in two splits."""
    first: EyePair
    """One that is in two splits, or else any."""


class Splits(Struct, frozen=True):
    """What the lists of a dataset say, without opening an image."""

    counts: Mapping[str, Mapping[str, int]]
    """Split to class name to number of examples; the classes are those of all splits."""
    classes: Mapping[str, Mapping[str, int]]
    """Split to class name to class index."""
    listed: Mapping[str, int]
    """Split to number of examples, with or without a label."""
    files: int
    """Number of different files that are listed."""
    absent: int
    """Number of those that do not exist."""
    missing: tuple[str, ...]
    """The first thousand of them."""
    near: Mapping[str, str]
    """Missing file to the one that has nearly its name, and how they differ, in words."""
    shared_groups: tuple[SharedGroup, ...]
    has_groups: bool
    """Whether any example belongs to a group."""
    eyes: Eyes | None
    """Those of the dataset; None for none."""
    notes: tuple[str, ...]
    """Those of the dataset."""
    unlabelled: tuple[str, ...] = ()
    """Splits without labels."""


class UnlistedFile(Struct, frozen=True):
    """A file in the dataset's folders that no split lists."""

    file: str
    copy_of: str
    """The listed file with its name and its size; empty if there is none."""


class Unlisted(Struct, frozen=True):
    """The images on the disk that no split lists."""

    folders: tuple[str, ...]
    """Where they were looked for, relative to the dataset's folder; empty when the source does not say."""
    listed: int
    """Number of different files that are listed."""
    files: tuple[UnlistedFile, ...]


class CorruptImage(Struct, frozen=True):
    """A file that could not be decoded to its last pixel."""

    file: str
    reason: str


class Copy(Struct, frozen=True):
    """One of several examples with the same image."""

    split: str
    file: str
    class_name: str


class NearCopy(Struct, frozen=True):
    """Two images of different splits that look the same."""

    first: Copy
    second: Copy
    similarity: float
    """Between -1 and 1: how much alike their slow cosine waves are."""
    mirrored: bool = False
    """Whether one looks like the mirror image of the other."""


class UnusualImage(Struct, frozen=True):
    """An image that is read otherwise than it looks, or that is unlike most others."""

    file: str
    reason: str


class BlankImage(Struct, frozen=True):
    """An image of which much is of one value."""

    file: str
    share: float
    """Share of its pixels that have the commonest value, within two levels of 255, in every channel."""


class Images(Struct, frozen=True):
    """What reading and decoding each file of a dataset once showed."""

    listed: int
    """Number of different files that the dataset lists."""
    read: int
    """Number of those that were read, corrupt ones included."""
    corrupt: tuple[CorruptImage, ...]
    identical: tuple[tuple[Copy, ...], ...]
    """Groups of two or more examples that are the same file, or whose files hold the same bytes or the same pixels."""
    decoded: int = 0
    """Number of files that were decoded to the last pixel."""
    too_large: tuple[CorruptImage, ...] = ()
    """Files that were read and not decoded, since they have more pixels than Pillow opens."""
    near: tuple[NearCopy, ...] = ()
    """Pairs of different splits that look the same, those with the same pixels included."""
    unusual: tuple[UnusualImage, ...] = ()
    blank: tuple[BlankImage, ...] = ()
    """Images of which about nine tenths or more are of one value."""
    kinds: Mapping[str, int] = {}
    """Mode of Pillow to number of images, the most frequent first."""
    notes: tuple[str, ...] = ()


class OutsideLabel(Struct, frozen=True):
    """An example whose label has no output in the model."""

    file: str
    label: str
    """The label as written."""
    place: str = ""
    """The table and the line that it is from; empty where there is none."""


class Labels(Struct, frozen=True):
    """The labels of a dataset, compared with the number of classes."""

    num_classes: int
    images: int
    """Number of examples whose label has no output."""
    outside: tuple[OutsideLabel, ...]
    """The first thousand of them."""
    unused: tuple[int, ...] = ()
    """Outputs that no image of any split has the label of."""
    notes: tuple[str, ...] = ()
    unlabelled: tuple[str, ...] = ()
    """Splits without labels."""

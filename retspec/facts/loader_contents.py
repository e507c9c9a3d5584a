"""Facts about what the user's own loaders give: items, their order, their batches."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class ItemReads(Struct, frozen=True):
    """The same items of a loader's dataset, read several times."""

    loader: str
    reads: int
    """Times that each item was read."""
    read: int
    """Items that were read."""
    items: int
    """Items of the whole dataset."""
    differing: tuple[str, ...]
    """The items whose inputs were not the same each time."""


class SharedSamples(Struct, frozen=True):
    """What two loaders have in common."""

    shared: tuple[str, ...]
    """A line for each distinct sample that is in both."""
    read: Mapping[str, int]
    """Loader to the number of its samples that were read."""
    samples: Mapping[str, int]
    """Loader to the number of all samples that it can give."""
    compared_by: str


class WorkerDraws(Struct, frozen=True):
    """The same items, read by each worker process of a loader."""

    loader: str
    workers: int
    read: int
    """Items that each worker read, twice."""
    items: int
    """Items of the whole dataset."""
    varies: bool
    """Whether the two reads of a worker differ."""
    equal: tuple[str, ...]
    """A line for each worker whose reads all equal those of an earlier one."""


class EpochOrders(Struct, frozen=True):
    """The beginning of two epochs of a loader."""

    loader: str
    compared: int
    """Samples at the start of each epoch that were compared."""
    samples: int | None
    """Samples of a whole epoch; None where the loader does not say."""
    repeats: bool
    """Whether both begin alike."""
    compared_by: str
    needs_set_epoch: bool
    """Whether they differ only after `set_epoch`, which the training loop has to call."""


class BadBatch(Struct, frozen=True):
    """A batch that a training must not get."""

    loader: str
    index: int
    """From 0."""
    faults: tuple[str, ...]


class Sweep(Struct, frozen=True):
    """Batches of the user's loaders, looked at one by one."""

    read: Mapping[str, int]
    """Loader to the number of batches that were read."""
    batches: Mapping[str, int | None]
    """Loader to the number of batches of an epoch; None where the loader does not say."""
    num_classes: int | None
    """None where targets are no class indices."""
    bad: tuple[BadBatch, ...]


class FilesOfLoader(Struct, frozen=True):
    """Where the files of a loader's samples lie."""

    loader: str
    known: int
    """Samples of which a file is known."""
    items: int | None
    """Samples that it can give; None where it does not say."""
    stray: int = 0
    """Samples of which no known file lies in the named folders."""
    shown: tuple[str, ...] = ()
    """The first files of these."""
    obstacle: str = ""
    """Why no file is known, as a sentence without its full stop; empty where one is."""


class LoaderFiles(Struct, frozen=True):
    """Whether the files of the user's loaders lie in the folders that the spec names."""

    folders: tuple[str, ...]
    """Absolute."""
    loaders: tuple[FilesOfLoader, ...]

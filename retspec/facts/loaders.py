"""Facts about the time that images take to reach the model. Tuples of numbers have one entry per round."""

from __future__ import annotations

from msgspec import Struct


class Stage(Struct, frozen=True):
    """One step on the way from a file to a tensor."""

    name: str
    seconds: tuple[float, ...]
    """Seconds per image, the mean of each round; every round has the same images."""


class Stages(Struct, frozen=True):
    """The way from a file to a tensor in one process, step by step."""

    decoding: Stage
    transform: tuple[Stage, ...]
    """The steps of the evaluation transform."""
    train_transform: tuple[Stage, ...]
    """The steps of the augmenting transform; empty when there is none."""


class Throughput(Struct, frozen=True):
    """How fast a loader with a number of worker processes returns batches."""

    workers: int
    images: tuple[int, ...]
    """Images in each round: the last batch of a loader may be smaller."""
    seconds: tuple[float, ...]
    """Seconds of each whole round."""


class Loader(Struct, frozen=True):
    """A sweep over numbers of worker processes."""

    batch_size: int
    sweep: tuple[Throughput, ...]
    one_process: str
    """Why worker processes do not help here, whatever the figures say; empty when they can."""
    given: int | None = None
    """Worker processes of the user's own loader; None for one that was made from files."""
    pinning: tuple[str, ...] = ()
    """What to know about its `pin_memory`, in whole sentences."""


class DataWait(Struct, frozen=True):
    """A training fed by a loader."""

    workers: int
    waited: tuple[float, ...]
    """Seconds of each round spent waiting for the next batch."""
    trained: tuple[float, ...]
    """Seconds of the same round spent in training steps."""
    pinning: tuple[str, ...] = ()
    """What to know about the loader's `pin_memory`, in whole sentences."""

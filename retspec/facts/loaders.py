"""Facts about the time that it takes to get images to the model. Every tuple of seconds has one entry per round."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One step on the way from a file to a tensor."""

    name: str
    seconds: tuple[float, ...]
    """Mean per image; the images of each round are the same."""


@dataclass(frozen=True)
class Stages:
    """The way from a file to a tensor in one process, step by step."""

    decoding: Stage
    transform: tuple[Stage, ...]
    """The steps of the transform that evaluates."""
    train_transform: tuple[Stage, ...]
    """The steps of the transform that augments; empty where there is none."""


@dataclass(frozen=True)
class Throughput:
    """How fast a loader with so many worker processes gives batches."""

    workers: int
    images: tuple[int, ...]
    """Of each round: the last batch of a loader may be smaller."""
    seconds: tuple[float, ...]


@dataclass(frozen=True)
class Loader:
    """A sweep over numbers of worker processes."""

    batch_size: int
    sweep: tuple[Throughput, ...]
    one_process: str
    """Why no worker process pays here whatever the figures say; empty where they may."""
    given: int | None = None
    """Worker processes of a loader that was given as it is; None for one that was made of files."""
    pinning: tuple[str, ...] = ()
    """What is to be known of its `pin_memory`, in whole sentences."""


@dataclass(frozen=True)
class DataWait:
    """A training that is fed by a loader."""

    workers: int
    waited: tuple[float, ...]
    """Seconds of a round spent waiting for the next batch."""
    trained: tuple[float, ...]
    """Seconds of the same round spent in training steps."""
    pinning: tuple[str, ...] = ()
    """What is to be known of the loader's `pin_memory`, in whole sentences."""

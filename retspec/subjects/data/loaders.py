"""Batches as a training takes them: from a loader, one after the other."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from retspec.errors import NoVerdict
from retspec.subjects.data.images import Items, balanced

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from torch import Tensor

    from retspec.facts import Dataset
    from retspec.subjects.data.transforms import Transforms

ROUNDS = 7
"""Timed rounds, after one to warm up."""
LEAST_BATCHES = 4


class Feed(ABC):
    """Gives batches with any number of worker processes, as often as they are needed."""

    workers: int | None = None
    """Worker processes of a loader that the data source gave; None where it gave files."""
    takes_workers: bool = True
    """Whether it can be had with another number of them."""

    @property
    @abstractmethod
    def batch_size(self) -> int:
        """Images per batch; the last one of a loader may have fewer."""

    def rounds(self, workers: int, size: int | None = None) -> Iterator[Iterator[tuple[Tensor, Tensor]]]:
        """Yield a round to warm up and the timed ones, each an iterator over its batches, (inputs, targets).

        size: batches per round; by default as many as `batches_per_round` says.
        They come from one stream, which goes on after the last one: neither its start nor its end is in a round.
        """
        size = size or batches_per_round(workers)
        stream = self.stream(workers, (ROUNDS + 2) * size)
        for _ in range(1 + ROUNDS):
            yield (next(stream) for _ in range(size))

    @abstractmethod
    def stream(self, workers: int, least: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield that many batches or more, (inputs, targets)."""

    def pinning(self, device: torch.device) -> tuple[str, ...]:  # noqa: ARG002 - for those that pin
        """Say what is to be known of `pin_memory`, in whole sentences."""
        return ()


class FileFeed(Feed):
    """The images of the first split, balanced, augmented where the spec says how, in a loader of our own."""

    def __init__(self, dataset: Dataset, transforms: Transforms, batch_size: int, seed: int = 0) -> None:
        self._batch_size = batch_size
        self._dataset = dataset
        self._transform = transforms.augment or transforms.evaluate
        self._examples = balanced(dataset.first.examples, seed)

    @property
    def batch_size(self) -> int:
        """Images per batch."""
        return self._batch_size

    def stream(self, workers: int, least: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield that many batches."""
        from torch.utils.data import DataLoader

        items = Items(self._dataset, self._examples, self._transform, least * self._batch_size)
        return iter(DataLoader(items, batch_size=self._batch_size, num_workers=workers))  # type: ignore[arg-type]


class PastFeed(Feed):
    """The batches of a training of the user's own: they went by while it was watched, and there are no more."""

    def __init__(self, batch_size: int, workers: int) -> None:
        self._batch_size = batch_size
        self.workers = workers

    @property
    def batch_size(self) -> int:
        """Images of the first batch."""
        return self._batch_size

    def stream(self, workers: int, least: int) -> Iterator[tuple[Tensor, Tensor]]:  # noqa: ARG002 - see below
        """Raises NoVerdict: the loader is the training's."""
        raise NoVerdict("this takes batches from the loader by itself, and the loader is in a training of your own")


def batches_per_round(workers: int) -> int:
    """Return how many batches a round has: two of every worker, since each gives them in turn."""
    return max(LEAST_BATCHES, 2 * workers)


def one_process(device: torch.device) -> str:
    """Return why loading in the training's own process is best here, or an empty string where workers may pay."""
    if sys.platform == "darwin" or device.type == "mps":
        return "macOS starts every worker as a new interpreter, and MPS cannot take batches from pinned memory"
    return ""

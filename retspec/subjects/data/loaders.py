"""`Feed`: a stream of batches, as a training takes them from a loader."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from retspec.errors import NoVerdict
from retspec.subjects.data.images import Items, balanced, collated

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from torch import Tensor

    from retspec.facts import Dataset
    from retspec.subjects.data.transforms import Transforms

ROUNDS = 7
"""Number of timed rounds, after one warm-up round."""
LEAST_BATCHES = 4


class Feed(ABC):
    """Gives any number of batches, with any number of worker processes."""

    workers: int | None = None
    """Worker processes of the DataLoader that the data source returned; None for a source of files."""
    takes_workers: bool = True
    """Whether another number of worker processes is possible."""

    @property
    @abstractmethod
    def batch_size(self) -> int:
        """Images per batch; the last batch of a loader may have fewer."""

    def rounds(self, workers: int, size: int | None = None) -> Iterator[Iterator[tuple[Tensor, Tensor]]]:
        """Yield a warm-up round and the timed rounds, each an iterator over batches (inputs, targets).

        size: batches per round, by default `batches_per_round(workers)`.
        All come from one stream that is longer than the rounds: neither its start nor its end is timed.
        """
        size = size or batches_per_round(workers)
        stream = self.stream(workers, (ROUNDS + 2) * size)
        for _ in range(1 + ROUNDS):
            yield (next(stream) for _ in range(size))

    @abstractmethod
    def stream(self, workers: int, least: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield at least `least` batches (inputs, targets): tensors (batch, ...) and (batch,) or (batch, classes)."""

    def pinning(self, device: torch.device) -> tuple[str, ...]:  # noqa: ARG002 - for those that pin
        """Return advice on `pin_memory`, in whole sentences."""
        return ()


class FileFeed(Feed):
    """Images of the first split, balanced over the classes and augmented if the spec says so, in a DataLoader."""

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
        """Yield `least` batches (inputs, targets): tensors (batch, channels, height, width) and (batch,).

        Of several images per example, the inputs are rows (batch, numbers); of several label columns, the targets are
        (batch, classes).
        """
        from torch.utils.data import DataLoader

        items = Items(self._dataset, self._examples, self._transform, least * self._batch_size)
        loader: DataLoader[Any] = DataLoader(items, batch_size=self._batch_size, num_workers=workers)  # type: ignore[arg-type]
        return (collated(batch, self._dataset) for batch in loader)


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
    """Return the number of batches in a round: two of each worker, since workers take turns."""
    return max(LEAST_BATCHES, 2 * workers)


def one_process(device: torch.device) -> str:
    """Return why loading in the main process is best on this device, or an empty string where workers may help."""
    if sys.platform == "darwin" or device.type == "mps":
        return "macOS starts every worker as a new interpreter, and MPS cannot take batches from pinned memory"
    return ""

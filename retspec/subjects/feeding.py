"""Batches of a dataset as a training takes them: from a loader, one after the other."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from retspec.subjects.images import Items, balanced

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from torch import Tensor

    from retspec.facts import Dataset
    from retspec.subjects.transforms import Transforms

ROUNDS = 7
"""Timed rounds, after one to warm up."""
LEAST_BATCHES = 4


class Feed:
    """The batches of the first split, as often as they are needed, augmented where the spec says how."""

    def __init__(self, dataset: Dataset, transforms: Transforms, batch_size: int, seed: int = 0) -> None:
        self._dataset = dataset
        self._transform = transforms.augment or transforms.evaluate
        self._examples = balanced(dataset.first.examples, seed)
        self._batch_size = batch_size

    def rounds(self, workers: int) -> Iterator[Iterator[tuple[Tensor, Tensor]]]:
        """Yield a round to warm up and the timed ones, each an iterator over its batches, (images, labels).

        They come from one loader, which goes on after the last one: neither its start nor its end is in a round.
        """
        from torch.utils.data import DataLoader

        size = batches_per_round(workers)
        length = (ROUNDS + 2) * size * self._batch_size
        items = Items(self._dataset, self._examples, self._transform, length)
        stream = iter(DataLoader(items, batch_size=self._batch_size, num_workers=workers))  # type: ignore[arg-type]
        for _ in range(1 + ROUNDS):
            yield (next(stream) for _ in range(size))


def batches_per_round(workers: int) -> int:
    """Return how many batches a round has: two of every worker, since each gives them in turn."""
    return max(LEAST_BATCHES, 2 * workers)


def one_process(device: torch.device) -> str:
    """Return why loading in the training's own process is best here, or an empty string where workers may pay."""
    if sys.platform == "darwin" or device.type == "mps":
        return "macOS starts every worker as a new interpreter, and MPS cannot take batches from pinned memory"
    return ""

"""Seeing how long a loop waits for its next batch."""

from __future__ import annotations

from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch.utils.data import DataLoader

    from retspec.subjects.training.watching.feeders import Feeders


class Waits:
    """The time spent in the iterators of DataLoaders, and how many of them ended."""

    def __init__(self, feeders: Feeders, *, one_batch: bool) -> None:
        self.seconds = 0.0
        self.batches = 0
        """Batches that DataLoaders gave."""
        self.passes = 0
        """Passes through some data that came to their end."""
        self.workers = 0
        """Worker processes of the one that gave the last batch."""
        self._feeders = feeders
        self._one_batch = one_batch
        self._firsts: dict[int, Any] = {}

    @contextmanager
    def seen(self) -> Iterator[None]:
        """Time each batch that a DataLoader gives in this process.

        There is no hook for this. The iterators' methods are wrapped and put back; the loader's own `__iter__` stays,
        since persistent workers keep their iterator.
        """
        from torch.utils.data.dataloader import _BaseDataLoaderIter

        original, making = _BaseDataLoaderIter.__next__, _BaseDataLoaderIter.__init__

        def made(iterator: _BaseDataLoaderIter, loader: DataLoader[Any]) -> None:
            making(iterator, loader)
            self._feeders.iterated(iterator, loader)

        def timed(iterator: _BaseDataLoaderIter) -> Any:
            started = perf_counter()
            try:
                return self._given(iterator, original)
            finally:
                self.seconds += perf_counter() - started

        _BaseDataLoaderIter.__init__ = made  # type: ignore[method-assign, assignment]
        _BaseDataLoaderIter.__next__ = timed  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            _BaseDataLoaderIter.__init__ = making  # type: ignore[method-assign]
            _BaseDataLoaderIter.__next__ = original  # type: ignore[method-assign]

    def _given(self, iterator: Any, original: Any) -> Any:
        try:
            batch = original(iterator)
        except StopIteration:
            self.passes += 1
            raise
        self.batches += 1
        self._feeders.gave(iterator)
        self.workers = int(iterator._num_workers)  # noqa: SLF001 - the loader is not kept there
        if not self._one_batch:
            return batch
        return self._firsts.setdefault(id(iterator._dataset), batch)  # noqa: SLF001 - the loader is not kept there

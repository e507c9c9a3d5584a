"""A user's DataLoader, timed unchanged: with its own batches, workers, pinning and collating."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from numbers import Number
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError, describe
from retspec.subjects.data.loaders import Feed
from retspec.subjects.data.pairs import pair_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import torch
    from torch import Tensor
    from torch.utils.data import DataLoader

    from retspec.records import Keys
    from retspec.subjects.data.pairs import Pair

GIVER = "the DataLoader"
OVERLAPPING = "pin_memory=True, with .to(device, non_blocking=True), copies while the GPU works."
PREFETCHED = 2
"""Batches that each worker prefetches by default: `prefetch_factor` in https://docs.pytorch.org/docs/stable/data.html"""


class LoaderFeed(Feed):
    """The batches of a DataLoader, epoch after epoch.

    path: the place in the spec that names it. keys: where inputs and targets are in a batch, if the spec says so.
    """

    def __init__(self, loader: DataLoader[Any], path: str, keys: Keys | None = None) -> None:
        from torch.utils.data import DataLoader

        self.workers = loader.num_workers
        self.takes_workers = type(loader) is DataLoader  # the arguments of a user's subclass are unknown
        self._loader = loader
        self._path = path
        self._keys = keys

    @property
    def batch_size(self) -> int:
        """Images in the first batch."""
        return len(self.first[0])

    @property
    def first(self) -> Pair:
        """The first batch, (inputs, targets)."""
        return self._pair(self._first)

    def stream(self, workers: int, least: int) -> Iterator[tuple[Tensor, Tensor]]:  # noqa: ARG002 - it is endless
        """Yield batches (inputs, targets) without end, epoch after epoch.

        Raises SubjectError when the DataLoader fails, or is a subclass and another number of workers is asked for.
        """
        loader = self._loader if workers == self.workers else self._rebuilt(workers)
        while True:
            yield from map(self._pair, self._epoch(loader))

    def pinning(self, device: torch.device) -> tuple[str, ...]:
        """Return advice on `pin_memory`: whether it has an effect on this device and these batches."""
        if not self._loader.pin_memory:
            return (OVERLAPPING,) if device.type == "cuda" else ()
        useless = f"pin_memory=True does nothing for a training on {device}: it is for CUDA; leave it out there."
        left = (
            f"pin_memory=True leaves {place} ({kind}) as it is: give the class a method pin_memory, or collate tensors."
            for kind, place in _unpinnable(self._first).items()
        )
        return (*([] if device.type == "cuda" else [useless]), *left)

    @cached_property
    def _first(self) -> Any:
        return next(self._epoch(self._loader))

    def _pair(self, batch: Any) -> Pair:
        return pair_of(batch, GIVER, path=self._path, keys=self._keys)

    def _epoch(self, loader: DataLoader[Any]) -> Iterator[Any]:
        return batches_of(loader, GIVER, self._path)

    def _rebuilt(self, workers: int) -> DataLoader[Any]:
        """Return a loader that differs only in its number of workers."""
        given = self._loader
        if not self.takes_workers:
            raise SubjectError(
                f"{type(given).__name__} is a subclass of DataLoader and is timed with its own {self.workers} "
                "workers; leave `workers` out",
                path=self._path,
            )
        beside_workers = {
            "prefetch_factor": given.prefetch_factor or PREFETCHED,
            "persistent_workers": given.persistent_workers,
            "multiprocessing_context": given.multiprocessing_context,
            "timeout": given.timeout,
        }
        return rebuilt(
            given, workers, pin_memory=given.pin_memory, **_batching(given), **(beside_workers if workers else {})
        )


def rebuilt(loader: DataLoader[Any], workers: int, **chosen: Any) -> DataLoader[Any]:
    """Return a loader that reads and collates items as the given one does; the rest of its arguments are chosen."""
    from torch.utils.data import DataLoader

    return DataLoader(
        loader.dataset,
        num_workers=workers,
        collate_fn=loader.collate_fn,
        worker_init_fn=loader.worker_init_fn,
        generator=loader.generator,
        **chosen,
    )


def batches_of(loader: Iterable[Any], giver: str, path: str) -> Iterator[Any]:
    """Yield the batches of one epoch of a user's loader, at least one.

    giver: the loader, for messages.

    Raises SubjectError at the place `path` in the spec when it fails or gives none.
    """
    batch = None
    try:
        for batch in loader:
            yield batch
    except SubjectError:
        raise
    except Exception as error:
        raise SubjectError(f"{giver} raised {describe(error)}", path=path) from error
    if batch is None:
        raise SubjectError(f"{giver} gives no batch", path=path)


def _batching(loader: DataLoader[Any]) -> dict[str, Any]:
    """Return the arguments that make a new loader batch items as the given one does."""
    from torch.utils.data import IterableDataset

    if isinstance(loader.dataset, IterableDataset):
        return {"batch_size": loader.batch_size, "drop_last": loader.drop_last}
    if loader.batch_sampler is None:
        return {"batch_size": None, "sampler": loader.sampler}
    return {"batch_sampler": loader.batch_sampler}


def _unpinnable(item: Any, place: str = "batch") -> dict[str, str]:
    """Return the types that `torch.utils.data` cannot pin, each with its first place in the batch.

    See https://docs.pytorch.org/docs/stable/data.html#memory-pinning
    """
    if hasattr(item, "pin_memory") or item is None or isinstance(item, (str, bytes, Number)):
        return {}
    if not isinstance(item, (Mapping, Sequence)):
        return {type(item).__name__: place}
    entries = item.items() if isinstance(item, Mapping) else enumerate(item)
    found: dict[str, str] = {}
    for key, entry in entries:
        found = _unpinnable(entry, f"{place}[{key!r}]") | found
    return found

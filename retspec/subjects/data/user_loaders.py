"""The user's own loaders for training and validation, under test."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from retspec.errors import Inconclusive, SubjectError
from retspec.subjects.data.fingerprints import content_of
from retspec.subjects.data.pairs import pair_of, spread
from retspec.subjects.data.user_loader import batches_of, rebuilt

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch.utils.data import DataLoader

    from retspec.records import Keys
    from retspec.subjects.data.pairs import Pair

PATH = "data.loaders"
_USUAL_SIZE = 32


@dataclass(frozen=True)
class UserLoader:
    """A DataLoader, or any iterable of batches.

    name: `train` or `val`, the key of the spec.
    seen_in: the section of the spec whose training it was seen in; empty where the spec names it.
    """

    name: str
    given: Any
    seen_in: str = ""
    keys_in: Keys | None = None
    """Where inputs and targets are in a batch, if the spec says so."""

    @property
    def path(self) -> str:
        """The place in the spec that it comes from."""
        return self.seen_in or f"{PATH}.{self.name}"

    @property
    def batches(self) -> int | None:
        """Batches of an epoch; None where it does not say."""
        try:
            return len(self.given)
        except TypeError:
            return None

    def epoch(self) -> Iterator[Pair]:
        """Yield the batches (inputs, targets) of an epoch; raises SubjectError for one that gives none, or fails."""
        giver = f"the loader `{self.name}`"
        for batch in batches_of(self.given, giver, self.path):
            yield pair_of(batch, giver, path=self.path, keys=self.keys_in)

    @property
    def items(self) -> DataLoader[Any]:
        """The DataLoader over a dataset whose items can be read one by one; raises Inconclusive for anything else."""
        from torch.utils.data import DataLoader, IterableDataset

        given = self.given
        if not isinstance(given, DataLoader):
            what = f"a {type(given).__name__}, not a DataLoader"
        elif isinstance(given.dataset, IterableDataset):
            what = "a DataLoader over an IterableDataset"
        else:
            return given
        raise Inconclusive(f"the loader `{self.name}` is {what}: its items cannot be read one by one")

    def keys(self) -> Sequence[Any]:
        """Return the keys of the samples that the loader can give, each once: by its sampler, without reading any."""
        loader = self.items
        sampler = _sampler_of(loader)
        keys = range(len(loader.dataset)) if sampler is None else _keys_of(sampler, loader)  # type: ignore[arg-type]
        if not keys:
            raise SubjectError(f"the loader `{self.name}` gives no sample", path=self.path)
        return keys

    @property
    def has_items(self) -> bool:
        """Whether its samples can be read one by one, and are collated to batches by torch."""
        from torch.utils.data import DataLoader, IterableDataset

        given = self.given
        is_map = isinstance(given, DataLoader) and not isinstance(given.dataset, IterableDataset)
        return is_map and given.batch_sampler is not None

    @property
    def steps(self) -> int:
        """Batches that `once` gives; 0 where that is not known."""
        return -(-len(self.keys()) // self._size) if self.has_items else self.batches or 0

    def once(self) -> Iterator[tuple[list[Any], Any]]:
        """Yield each sample once: the keys of a batch, and the batch as the loader collates it.

        Neither a shuffle, nor weights, nor `drop_last` leave any out or repeat one. What has no items gives its epoch
        as it is, without keys.

        Raises SubjectError for a loader that gives no sample, or fails.
        """
        giver = f"the loader `{self.name}`"
        if not self.has_items:
            yield from (([], batch) for batch in batches_of(self.given, giver, self.path))
            return
        keys, size = [*self.keys()], self._size
        units = [keys[start : start + size] for start in range(0, len(keys), size)]
        reading = _reading(self.items, units, self.items.num_workers)
        yield from zip(units, batches_of(reading, giver, self.path), strict=True)

    @property
    def _size(self) -> int:
        """Samples in a batch; 32 where a batch sampler of the user's own does not say."""
        return self.items.batch_size or getattr(self.items.batch_sampler, "batch_size", None) or _USUAL_SIZE

    def read_again(self, most: int, times: int, workers: int = 0) -> list[list[str]]:
        """Read the same items several times, spread evenly over all; return what recognises the inputs of each.

        With worker processes, each of them reads the items so many times. The rows are in turn: the first read of
        worker 0, of worker 1, ..., the second read of worker 0, ...

        most: items to read.

        Raises SubjectError when reading fails, Inconclusive when items cannot be read one by one.
        """
        loader, keys = self.items, self.keys()
        chosen = [keys[index] for index in spread(most, len(keys))]
        batched = loader.batch_sampler is not None
        turns = max(workers, 1)
        units = [chosen] if batched else chosen
        order = [unit for _ in range(times) for unit in units for _ in range(turns)]
        rebuilt = _reading(loader, order, workers)
        giver = f"the loader `{self.name}`"
        read = [self._prints(batch, batched) for batch in batches_of(rebuilt, giver, self.path)]
        if batched:
            return read
        grouped = [read[start : start + len(units) * turns] for start in range(0, len(read), len(units) * turns)]
        return [[one[0] for one in rows[turn::turns]] for rows in grouped for turn in range(turns)]

    def _prints(self, batch: Any, batched: bool) -> list[str]:  # noqa: FBT001 - internal
        if not batched:
            return [content_of(batch)]
        inputs, _ = pair_of(batch, f"the loader `{self.name}`", path=self.path, keys=self.keys_in)
        return [content_of(row) for row in inputs]


@dataclass(frozen=True)
class UserLoaders:
    """What `data: {loaders: ...}` names, or what a watched training read.

    sweep: batches of each to look at.
    unseen: why a watched training showed no loader for validation.
    classes: how many its criterion chose from, where it showed that.
    """

    train: UserLoader
    validation: UserLoader | None
    sweep: int
    unseen: str = ""
    classes: int | None = None

    @property
    def val(self) -> UserLoader:
        """The loader for validation; raises SubjectError when the spec names none, Inconclusive when none was seen."""
        if self.validation is None and self.unseen:
            raise Inconclusive(self.unseen)
        if self.validation is None:
            raise SubjectError(f"this needs a second loader; name it as `{PATH}.val`", path=PATH)
        return self.validation

    @property
    def every(self) -> tuple[UserLoader, ...]:
        """All that are named."""
        return (self.train,) if self.validation is None else (self.train, self.validation)


def _sampler_of(loader: DataLoader[Any]) -> Any:
    """Return what gives the keys of an epoch; None where every item of the dataset may come."""
    from torch.utils.data import BatchSampler, RandomSampler, SequentialSampler

    batches = loader.batch_sampler
    if batches is None:
        sampler: Any = loader.sampler
    else:
        sampler = batches.sampler if type(batches) is BatchSampler else batches
    return None if isinstance(sampler, (RandomSampler, SequentialSampler)) else sampler


def _keys_of(sampler: Any, loader: DataLoader[Any]) -> list[Any]:
    from torch.utils.data import WeightedRandomSampler

    batches = loader.batch_sampler
    if isinstance(sampler, WeightedRandomSampler):  # an epoch holds some of them, with repetitions
        return [index for index, weight in enumerate(sampler.weights.tolist()) if weight > 0]
    if sampler is batches is not None:  # may begin again without end: MultiEpochsDataLoader of timm
        return [*dict.fromkeys(key for batch in islice(batches, len(loader)) for key in batch)]
    keys = [*islice(sampler, len(loader))] if batches is None else [*sampler]
    return keys if keys and isinstance(keys[0], list) else [*dict.fromkeys(keys)]


def _reading(loader: DataLoader[Any], order: list[Any], workers: int) -> DataLoader[Any]:
    """Return a loader that reads and collates the same items as the given one, in a chosen order."""
    chosen: dict[str, Any] = {"batch_sampler": order}
    if loader.batch_sampler is None:
        chosen = {"batch_size": None, "sampler": order}
    context = loader.multiprocessing_context if workers else None
    return rebuilt(loader, workers, multiprocessing_context=context, **chosen)

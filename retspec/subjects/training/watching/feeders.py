"""Seeing which DataLoaders feed the forward passes of a training, and which those of its evaluation."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch.utils.data import DataLoader

_MOST = 64
"""DataLoaders that are kept: a loop may make one at each step."""
_Fed = Counter[frozenset[int]]
"""How many forward passes came after batches of these loaders, by their identities."""


@dataclass
class _Root:
    """An outermost module: the forward passes of it that followed a new batch."""

    since: int = 0
    """The turn of its last forward pass."""
    trainings: _Fed = field(default_factory=Counter)
    evaluations: _Fed = field(default_factory=Counter)


class Feeders:
    """The DataLoaders that gave a batch before each forward pass.

    A loop may take a batch ahead, or look at one before it trains, so that one pass alone says little.
    """

    def __init__(self) -> None:
        self._iterated: WeakKeyDictionary[Any, DataLoader[Any]] = WeakKeyDictionary()
        self._loaders: dict[int, DataLoader[Any]] = {}
        self._turn = 0
        self._turns: dict[int, int] = {}
        """The turn of the last batch of each loader."""
        self._trained = 0
        """The turn of the last forward pass with gradients."""
        self._roots: dict[int, _Root] = {}
        self._pending: list[tuple[int, bool, frozenset[int]]] = []

    def iterated(self, iterator: Any, loader: DataLoader[Any]) -> None:
        """Note which DataLoader made an iterator, which does not know it."""
        self._iterated[iterator] = loader

    def gave(self, iterator: Any) -> None:
        """Note that an iterator gave a batch."""
        loader = self._iterated.get(iterator)
        if loader is None or (id(loader) not in self._loaders and len(self._loaders) >= _MOST):
            return
        self._loaders[id(loader)] = loader
        self._turn += 1
        self._turns[id(loader)] = self._turn

    def entered(self, key: int, *, in_train_mode: bool, with_gradients: bool) -> None:
        """Note a forward pass of an outermost module by its identity."""
        root = self._roots.setdefault(key, _Root())
        since = root.since if with_gradients else max(root.since, self._trained)
        given = frozenset(loader for loader, turn in self._turns.items() if turn > since)
        root.since = self._turn
        if with_gradients:
            self._trained = self._turn
            self._pending.append((key, in_train_mode, given))
        elif given and not in_train_mode:
            root.evaluations[given] += 1

    def backward_followed(self) -> None:
        """Note that the forward passes since the last backward pass were for training, those in train mode at least.

        One in eval mode may be of a validation with gradients: it counts if it was the last.
        """
        trained = [each for each in self._pending if each[1]] or self._pending[-1:]
        for key in {key for key, _, _ in trained}:
            given = frozenset[int]().union(*(loaders for root, _, loaders in trained if root == key))
            if given:
                self._roots[key].trainings[given] += 1
        self._pending.clear()

    def training(self, key: int) -> Sequence[DataLoader[Any]]:
        """Return the loader that fed the training of a module; several where these came together, none for none."""
        fed = self._roots[key].trainings if key in self._roots else _Fed()
        together = Counter({loaders: times for loaders, times in fed.items() if len(loaders) > 1})
        alone = Counter({loaders: times for loaders, times in fed.items() if len(loaders) == 1})
        chosen = together if 2 * together.total() >= fed.total() else alone
        return [self._loaders[each] for loaders, _ in chosen.most_common(1) for each in sorted(loaders)]

    def evaluating(self, keys: Iterable[int], training: DataLoader[Any]) -> Sequence[DataLoader[Any]]:
        """Return the loaders that fed evaluations of modules, but for those over the dataset that trains.

        One loader stands for all over the same dataset: some loops make a new one for each evaluation.
        """
        fed: _Fed = sum((self._roots[key].evaluations for key in keys if key in self._roots), start=_Fed())
        loaders = [self._loaders[each] for group in fed for each in sorted(group)]
        over = {id(loader.dataset): loader for loader in reversed(loaders) if loader.dataset is not training.dataset}
        return [*over.values()]

    def let_go(self) -> None:
        """End the workers that persistent loaders keep for a next pass: the training is over."""
        for loader in self._loaders.values():
            if loader.persistent_workers:
                loader._iterator = None  # noqa: SLF001 - that keeps them, and there is no public way

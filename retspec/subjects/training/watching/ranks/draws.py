"""Seeing which samples the samplers of DataLoaders draw."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from retspec.facts.distributed import Pass

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Drawing:
    """A pass through the data of a DataLoader."""

    sampler: Any
    """Its iterator over the sampler; kept, so that no other gets its identity."""
    length: int | None
    positions: list[str] = field(default_factory=list)
    drawn: int = 0
    ended: bool = False
    trains: bool = False

    def take(self, index: Any) -> None:
        """Note a batch: its positions in the dataset, or one position, or none of a stream."""
        self.drawn += 1
        given = index if isinstance(index, (list, tuple)) else [index]
        self.positions += [str(each) for each in given if each is not None]

    @property
    def facts(self) -> Pass:
        """The same as plain data."""
        return Pass(self.length, tuple(self.positions), ended=self.ended, drawn=self.drawn)


class Draws:
    """The passes through the data of all DataLoaders of this process, in the order in which they began."""

    def __init__(self) -> None:
        self._passes: dict[int, Drawing] = {}
        self._latest: Drawing | None = None

    @property
    def passes(self) -> tuple[Pass, ...]:
        """Those that trained."""
        return tuple(each.facts for each in self._passes.values() if each.trains)

    def trained(self) -> None:
        """Note that the last batch that a DataLoader gave has entered a training forward pass."""
        if self._latest is not None:
            self._latest.trains = True

    @contextmanager
    def seen(self) -> Iterator[None]:
        """Note what the samplers draw.

        There is no hook for this: two methods of the iterators are wrapped, and put back.
        """
        from torch.utils.data.dataloader import _BaseDataLoaderIter

        draw, give = _BaseDataLoaderIter._next_index, _BaseDataLoaderIter.__next__  # noqa: SLF001 - see above

        def drawn(iterator: Any) -> Any:
            drawing = self._of(iterator)
            try:
                index = draw(iterator)  # type: ignore[no-untyped-call]
            except StopIteration:
                drawing.ended = True
                raise
            drawing.take(index)
            return index

        def given(iterator: Any) -> Any:
            batch = give(iterator)
            self._latest = self._of(iterator)
            return batch

        _BaseDataLoaderIter._next_index = drawn  # type: ignore[method-assign] # noqa: SLF001 - see above
        _BaseDataLoaderIter.__next__ = given  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            _BaseDataLoaderIter._next_index = draw  # type: ignore[method-assign] # noqa: SLF001 - see above
            _BaseDataLoaderIter.__next__ = give  # type: ignore[method-assign]

    def _of(self, iterator: Any) -> Drawing:
        """Return the pass that an iterator is in; persistent workers keep it for the next one."""
        sampler = iterator._sampler_iter  # noqa: SLF001 - see above
        if id(sampler) not in self._passes:
            self._passes[id(sampler)] = Drawing(sampler, _length(iterator))
        return self._passes[id(sampler)]


def _length(iterator: Any) -> int | None:
    try:
        return len(iterator)
    except (TypeError, NotImplementedError):
        return None

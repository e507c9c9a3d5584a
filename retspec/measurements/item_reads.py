"""The measurements `train_reads`, `val_reads` and `worker_draws`: the same items, read several times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.errors import Inconclusive
from retspec.facts import ItemReads, WorkerDraws
from retspec.plugin import Cost, PositiveInt, measurement

if TYPE_CHECKING:
    from retspec.subjects.data.user_loaders import UserLoader, UserLoaders

READS = 4
"""An augmentation that touches a tenth of the images leaves all of 16 items alike in four reads once in 800 times."""
Items = Annotated[PositiveInt, Meta(description="Items to read, spread evenly over the dataset.")]
Workers = Annotated[int, Meta(ge=2, description="Worker processes; by default those of the loader.")]


@measurement(cost=Cost.FORWARD)
def train_reads(loaders: UserLoaders, *, items: Items = 16) -> ItemReads:
    """Read items of the training loader's dataset several times, collated as the loader does it."""
    return _reads(loaders.train, items)


@measurement(cost=Cost.FORWARD)
def val_reads(loaders: UserLoaders, *, items: Items = 16) -> ItemReads:
    """Read items of the validation loader's dataset several times, collated as the loader does it."""
    return _reads(loaders.val, items)


@measurement(cost=Cost.FORWARD)
def worker_draws(loaders: UserLoaders, *, items: Items = 16, workers: Workers | None = None) -> WorkerDraws:
    """Let each worker process of the training loader read the same items, twice."""
    loader = loaders.train
    number = workers or loader.items.num_workers
    if number < 2:  # noqa: PLR2004 - it takes two
        raise Inconclusive(
            f"the loader `train` has {number} workers: none can draw what another draws; `with: {{workers: 2}}` tries"
        )
    rows = loader.read_again(items, times=2, workers=number)
    sequences = [rows[turn] + rows[number + turn] for turn in range(number)]
    equal = [
        f"worker {turn} = worker {sequences.index(sequence)}"
        for turn, sequence in enumerate(sequences)
        if sequence in sequences[:turn]
    ]
    return WorkerDraws(
        loader=loader.name,
        workers=number,
        read=len(rows[0]),
        items=len(loader.keys()),
        varies=rows[0] != rows[number],
        equal=tuple(equal),
    )


def _reads(loader: UserLoader, items: int) -> ItemReads:
    keys = loader.keys()
    rows = loader.read_again(items, READS)
    lengths = {len(row) for row in rows}
    if len(lengths) > 1:
        raise Inconclusive(f"the loader `{loader.name}` collates the same items to {sorted(lengths)} rows")
    differing = [str(index) for index, prints in enumerate(zip(*rows, strict=True)) if len(set(prints)) > 1]
    return ItemReads(loader.name, READS, len(rows[0]), len(keys), tuple(differing))

"""The measurement `loader`."""

from __future__ import annotations

from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.facts import Loader, Throughput
from retspec.plugin import Cost, measurement
from retspec.subjects.devices import cores
from retspec.subjects.feeding import Feed, batches_per_round, one_process

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from retspec.facts import Dataset
    from retspec.records import Recipe
    from retspec.subjects.transforms import Transforms


SWEEP = (0, 2, 4, 8)


@measurement(cost=Cost.FORWARD)
def loader(
    dataset: Dataset,
    transforms: Transforms,
    recipe: Recipe,
    device: torch.device,
    progress: Callable[[int, int], None],
    *,
    workers: Annotated[
        list[Annotated[int, Meta(ge=0)]],
        Meta(min_length=1, description="Numbers of worker processes to try; by default 0, 2, 4, 8 up to the cores."),
    ]
    | None = None,
) -> Loader:
    """Time a loader with each number of worker processes, after a round to warm up."""
    alone = one_process(device)
    tried = workers or [number for number in SWEEP if number <= (0 if alone else cores())]
    feed = Feed(dataset, transforms, recipe.batch_size)
    sweep = []
    for turn, number in enumerate(tried):
        progress(turn, len(tried))
        sweep.append(_timed(feed, number, recipe.batch_size))
    return Loader(recipe.batch_size, tuple(sweep), alone)


def _timed(feed: Feed, workers: int, batch_size: int) -> Throughput:
    seconds = []
    for batches in feed.rounds(workers):
        started = perf_counter()
        deque(batches, maxlen=0)
        seconds.append(perf_counter() - started)
    return Throughput(workers, batches_per_round(workers) * batch_size, tuple(seconds[1:]))

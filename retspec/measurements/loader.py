"""The measurement `loader`: how fast batches arrive, by number of worker processes."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.facts import Loader, Throughput
from retspec.plugin import Cost, measurement
from retspec.subjects.data.loaders import one_process
from retspec.subjects.devices import cores

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from retspec.subjects.data.loaders import Feed

SWEEP = (0, 2, 4, 8)
"""Numbers of worker processes to try, as far as there are cores."""


@measurement(cost=Cost.FORWARD)
def loader(
    feed: Feed,
    device: torch.device,
    progress: Callable[[int, int], None],
    *,
    workers: Annotated[
        list[Annotated[int, Meta(ge=0)]],
        Meta(min_length=1, description="Numbers of worker processes to try; by default 0, 2, 4, 8 up to the cores."),
    ]
    | None = None,
) -> Loader:
    """Time a loader with each number of worker processes, after a warm-up round.

    The user's own loader is timed as it is, then rebuilt with each other number.
    """
    alone = one_process(device)
    swept = [number for number in SWEEP if number <= (0 if alone else cores())] if feed.takes_workers else []
    tried = _with_its_own(feed, workers or swept)
    sweep = []
    for turn, number in enumerate(tried):
        progress(turn, len(tried))
        sweep.append(_timed(feed, number))
    return Loader(feed.batch_size, tuple(sweep), alone, feed.workers, feed.pinning(device))


def _with_its_own(feed: Feed, numbers: list[int]) -> list[int]:
    return numbers if feed.workers is None else list(dict.fromkeys([feed.workers, *numbers]))


def _timed(feed: Feed, workers: int) -> Throughput:
    images, seconds = [], []
    for batches in feed.rounds(workers):
        started = perf_counter()
        images.append(sum(len(inputs) for inputs, _ in batches))
        seconds.append(perf_counter() - started)
    return Throughput(workers, tuple(images[1:]), tuple(seconds[1:]))

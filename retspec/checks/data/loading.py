"""`min_loader_throughput` and `max_data_wait`: whether data comes fast enough."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from retspec.errors import Inconclusive
from retspec.facts import DataWait, Loader, Throughput
from retspec.facts.timing import steady_median
from retspec.plugin import Observed, check
from retspec.records import Fraction

if TYPE_CHECKING:
    from collections.abc import Sequence

AS_GOOD = 0.9
"""Share of the best throughput from which fewer workers are the better choice."""


@check(
    direction="at least",
    unit="images/s",
    advice="Take the number of workers that the details recommend; resize the images once, on disk, to little more "
    "than the input size; `max_transform_ms` names slow steps.",
)
def min_loader_throughput(loader: Loader) -> Observed[float]:
    """How many images per second can the loader give?

    Why it matters:
        A GPU that waits for images costs as much as one that works.

    Example:
        min_loader_throughput: 200

    What the number means:
        Images divided by seconds, the median over rounds, after a round to warm up. A DataLoader of yours counts as it
        is; for files the best number of worker processes counts, with `train_transform` where there is one. Files that
        were read lately come from memory. No verdict when rounds scatter too widely.
    """
    rates: dict[int, float] = {}
    doubts: dict[int, Inconclusive] = {}
    for tried in loader.sweep:
        try:
            rates[tried.workers] = _rate(tried)
        except Inconclusive as doubt:
            doubts[tried.workers] = doubt
    if loader.given is not None and loader.given in doubts:
        raise doubts[loader.given]
    if not rates:
        raise next(iter(doubts.values()))
    best = max(rates.values())
    enough = min(workers for workers, rate in rates.items() if rate >= AS_GOOD * best)
    details = {
        "images/s by workers": {str(workers): rate for workers, rate in rates.items()},
        "recommended workers": f"0: {loader.one_process}" if loader.one_process else str(enough),
        **({} if loader.given is None else {"workers as given": loader.given}),
        "batch size": loader.batch_size,
        **_pinning(loader.pinning),
    }
    return Observed(best if loader.given is None else rates[loader.given], details)


def _rate(tried: Throughput) -> float:
    per_image = [seconds / images for seconds, images in zip(tried.seconds, tried.images, strict=True)]
    return 1 / steady_median(per_image, f"rounds with {tried.workers} workers")


def _pinning(lines: Sequence[str]) -> dict[str, list[str]]:
    return {"pin_memory": list(lines)} if lines else {}


@check(
    direction="at most",
    advice="Use more workers (`min_loader_throughput` recommends a number), smaller files, or cheaper transforms.",
)
def max_data_wait(data_wait: DataWait) -> Observed[Fraction]:
    """Which share of a training step is spent waiting for data?

    Why it matters:
        It is the share of the bill for the GPU that buys nothing.

    Example:
        max_data_wait: 0.1

    What the number means:
        Time spent waiting for the next batch as a fraction of waiting and training; the median over rounds of a real
        training that a loader feeds, yours or one over the files, after a round to warm up. No verdict when rounds
        scatter too widely.
    """
    pairs = list(zip(data_wait.waited, data_wait.trained, strict=True))
    whole = steady_median([waited + trained for waited, trained in pairs], "rounds of training")
    share = median(waited / (waited + trained) for waited, trained in pairs)
    details = {"workers": data_wait.workers, "seconds per round": whole, **_pinning(data_wait.pinning)}
    return Observed(share, details)

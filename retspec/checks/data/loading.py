"""`min_loader_throughput` and `max_data_wait`: whether data comes fast enough."""

from __future__ import annotations

from statistics import median

from retspec.errors import Inconclusive
from retspec.facts import DataWait, Loader, Throughput
from retspec.facts.timing import steady_median
from retspec.plugin import Observed, check
from retspec.records import Fraction

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
        Images per round divided by the median time of a round, for the best number of worker processes, after a round
        to warm up; files that were read lately come from memory. `train_transform` is taken where there is one. No
        verdict when rounds scatter too widely.
    """
    rates: dict[int, float] = {}
    doubts: list[Inconclusive] = []
    for tried in loader.sweep:
        try:
            rates[tried.workers] = _rate(tried)
        except Inconclusive as doubt:
            doubts.append(doubt)
    if not rates:
        raise doubts[0]
    best = max(rates.values())
    enough = min(workers for workers, rate in rates.items() if rate >= AS_GOOD * best)
    details = {
        "images/s by workers": {str(workers): rate for workers, rate in rates.items()},
        "recommended workers": f"0: {loader.one_process}" if loader.one_process else str(enough),
        "batch size": loader.batch_size,
    }
    return Observed(best, details)


def _rate(tried: Throughput) -> float:
    return tried.images / steady_median(tried.seconds, f"rounds with {tried.workers} workers")


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
        training that a loader feeds, after a round to warm up. No verdict when rounds scatter too widely.
    """
    pairs = list(zip(data_wait.waited, data_wait.trained, strict=True))
    whole = steady_median([waited + trained for waited, trained in pairs], "rounds of training")
    share = median(waited / (waited + trained) for waited, trained in pairs)
    return Observed(share, {"workers": data_wait.workers, "seconds per round": whole})

"""`min_loader_throughput`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.data._reading import pinning_details
from retspec.errors import Inconclusive
from retspec.facts import Loader, Throughput
from retspec.facts.timing import steady_median
from retspec.plugin import Observed, check

AS_GOOD = 0.9
"""Share of the best throughput from which fewer workers are the better choice."""


@check(
    direction="at least",
    unit="images/s",
    advice="Use the number of workers that the details recommend; resize the images once, on disk, to little more "
    "than the input size; `max_transform_ms` names slow steps.",
)
def min_loader_throughput(loader: Loader) -> Observed[Annotated[float, Meta(ge=0)]]:
    """How many images per second can the loader give?

    Why it matters:
        A GPU that waits for images costs as much as one that works.

    Example:
        min_loader_throughput: 200

    What the number means:
        Images divided by seconds, the median over rounds, after a warm-up round. Your own DataLoader is timed as it is;
        for files the best number of worker processes counts, with `train_transform` if there is one. Files that were
        read recently come from memory. No verdict when rounds scatter too widely.
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
        **pinning_details(loader.pinning),
    }
    return Observed(best if loader.given is None else rates[loader.given], details)


def _rate(tried: Throughput) -> float:
    per_image = [seconds / images for seconds, images in zip(tried.seconds, tried.images, strict=True)]
    return 1 / steady_median(per_image, f"rounds with {tried.workers} workers")

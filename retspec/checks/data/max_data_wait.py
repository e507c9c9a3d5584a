"""`max_data_wait`."""

from __future__ import annotations

from statistics import median

from retspec.checks.data._reading import pinning_details
from retspec.facts import DataWait
from retspec.facts.timing import steady_median
from retspec.plugin import Observed, check
from retspec.records import Fraction


@check(
    direction="at most",
    advice="Use more workers (`min_loader_throughput` recommends a number), smaller files, or cheaper transforms.",
)
def max_data_wait(data_wait: DataWait) -> Observed[Fraction]:
    """What share of a training step is spent waiting for data?

    Why it matters:
        While it waits for data, a GPU costs money and does nothing.

    Example:
        max_data_wait: 0.1

    What the number means:
        Time spent waiting for the next batch as a fraction of waiting and training: the median over rounds of a real
        training, fed by your loader or by one over the files, after a warm-up round. Under `train: {script: train.py}`
        your own loop is timed: the time that it spends in its DataLoaders, over its steps after the first. No verdict
        when rounds scatter too widely.
    """
    pairs = list(zip(data_wait.waited, data_wait.trained, strict=True))
    whole = steady_median([waited + trained for waited, trained in pairs], "rounds of training")
    share = median(waited / (waited + trained) for waited, trained in pairs)
    details = {"workers": data_wait.workers, "seconds per round": whole, **pinning_details(data_wait.pinning)}
    return Observed(share, details)

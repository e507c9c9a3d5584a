"""`min_throughput`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.learning._reading import WarmUp, steady_times
from retspec.facts import Training
from retspec.plugin import Observed, check


@check(
    direction="at least",
    unit="images/s",
    advice="Use mixed precision (`train.amp`), a larger batch or a faster device; `step_time_ms` names the slowest "
    "operators.",
)
def min_throughput(training: Training, *, warmup: WarmUp = 2) -> Observed[Annotated[float, Meta(ge=0)]]:
    """How many images per second does training process?

    Why it matters:
        Images per second give the cost of an epoch, and show whether a change made training slower.

    Example:
        min_throughput: 50

    What the number means:
        Images per step divided by the median time of a step after the warm-up. No verdict when the steps scatter too
        widely for a median to mean something.
    """
    times, middle = steady_times(training, warmup)
    return Observed(training.batch_size / middle, {"images per step": training.batch_size, "n": len(times)})

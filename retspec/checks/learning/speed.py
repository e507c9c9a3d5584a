"""`step_time_ms` and `min_throughput`."""

from __future__ import annotations

from statistics import quantiles
from typing import Annotated

from msgspec import Meta

from retspec.facts import Profile, Training
from retspec.facts.timing import steady_median
from retspec.plugin import Observed, check

WarmUp = Annotated[int, Meta(ge=0, description="Steps to leave out at the start.")]


@check(
    direction="at most",
    unit="ms",
    advice="Use a smaller batch, mixed precision (`train.amp`) or a faster device, and run on a machine that does "
    "nothing else.",
)
def step_time_ms(training: Training, profile: Profile, *, warmup: WarmUp = 2) -> Observed[float]:
    """How long does a training step take?

    Why it matters:
        Steps times epochs is what the run will cost.

    Example:
        step_time_ms: 500

    What the number means:
        Median time of forward, backward and update after the warm-up, in milliseconds; the details name the operators
        that took most of it. No verdict when the steps scatter too widely for a median to mean something.
    """
    times, middle = _steady(training, warmup)
    lower, _, upper = quantiles(times, n=4)
    dearest = [f"{op.name}: {op.milliseconds:.3g} ms in {op.calls} calls" for op in profile.operators]
    details = {"interquartile range": 1000 * (upper - lower), "n": len(times), "dearest operators": dearest}
    return Observed(1000 * middle, details)


@check(
    direction="at least",
    unit="images/s",
    advice="Use mixed precision (`train.amp`), a larger batch or a faster device; `step_time_ms` names the dearest "
    "operators.",
)
def min_throughput(training: Training, *, warmup: WarmUp = 2) -> Observed[float]:
    """How many images per second does training take in?

    Why it matters:
        Images per second say what an epoch costs, and whether a change made training slower.

    Example:
        min_throughput: 50

    What the number means:
        Images per step divided by the median time of a step after the warm-up. No verdict when the steps scatter too
        widely for a median to mean something.
    """
    times, middle = _steady(training, warmup)
    return Observed(training.batch_size / middle, {"images per step": training.batch_size, "n": len(times)})


def _steady(training: Training, warmup: int) -> tuple[tuple[float, ...], float]:
    """Return the seconds of the steps after the warm-up, and their median.

    Raises Inconclusive for too few of them, or when they scatter too widely.
    """
    times = training.seconds[warmup:]
    remedy = f"run on a quieter machine or {training.remedy}"
    return times, steady_median(times, "steps after warm-up", remedy=remedy)

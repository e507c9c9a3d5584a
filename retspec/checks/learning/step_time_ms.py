"""`step_time_ms`."""

from __future__ import annotations

from statistics import median, quantiles
from typing import Annotated

from msgspec import Meta

from retspec.facts import Training
from retspec.plugin import Inconclusive, Observed, check

LEAST_SAMPLES = 5
WIDEST_SPREAD = 0.25
"""Interquartile range over median above which a timing says more about the machine than about the model."""


@check(
    direction="at most",
    unit="ms",
    advice="Use a smaller batch, mixed precision (`train.amp`) or a faster device, and run on a machine that does "
    "nothing else.",
)
def step_time_ms(
    training: Training,
    *,
    warmup: Annotated[int, Meta(ge=0, description="Steps to leave out at the start.")] = 2,
) -> Observed[float]:
    """How long does a training step take?

    Why it matters:
        Steps times epochs is what the run will cost.

    Example:
        step_time_ms: 500

    What the number means:
        Median time of forward, backward and update after the warm-up, in milliseconds. No verdict when the steps
        scatter too widely for a median to mean something.
    """
    times = [1000 * second for second in training.seconds[warmup:]]
    if len(times) < LEAST_SAMPLES:
        raise Inconclusive(f"{len(times)} steps after warm-up are too few for a median; raise `train.steps`")
    middle = median(times)
    lower, _, upper = quantiles(times, n=4)
    spread = (upper - lower) / middle
    if spread > WIDEST_SPREAD:
        raise Inconclusive(
            f"the steps scatter too widely (interquartile range / median = {spread:.2f}, at most {WIDEST_SPREAD}, "
            f"median {middle:.4g} ms, n = {len(times)}); run on a quieter machine or raise `train.steps`"
        )
    return Observed(middle, {"interquartile range": upper - lower, "n": len(times)})

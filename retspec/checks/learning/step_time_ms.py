"""`step_time_ms`."""

from __future__ import annotations

from statistics import quantiles

from retspec.checks.learning._reading import WarmUp, steady_times
from retspec.facts import Profile, Training
from retspec.plugin import Amount, Observed, check


@check(
    direction="at most",
    unit="ms",
    advice="Use a smaller batch, mixed precision (`train.amp`) or a faster device, and run on an otherwise idle "
    "machine.",
)
def step_time_ms(training: Training, profile: Profile, *, warmup: WarmUp = 2) -> Observed[Amount]:
    """How long does a training step take?

    Why it matters:
        Steps times epochs times this is the cost of the run.

    Example:
        step_time_ms: 500

    What the number means:
        Median time of forward, backward and update after the warm-up, in milliseconds; the details name the operators
        that took most of it. No verdict when the steps scatter too widely for a median to mean something.
    """
    times, middle = steady_times(training, warmup)
    lower, _, upper = quantiles(times, n=4)
    slowest = [f"{op.name}: {op.milliseconds:.3g} ms in {op.calls} calls" for op in profile.operators]
    details = {"interquartile range": 1000 * (upper - lower), "n": len(times), "dearest operators": slowest}
    return Observed(1000 * middle, details)

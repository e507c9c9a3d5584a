"""`max_transform_ms`."""

from __future__ import annotations

from retspec.checks.data._reading import mean_seconds, step_lines
from retspec.facts import Stages
from retspec.facts.timing import steady_median
from retspec.plugin import Amount, Observed, check


@check(
    direction="at most",
    unit="ms",
    advice="Move the step that the details name first to after the crop, use a cheaper interpolation, or store the "
    "images at a smaller size.",
)
def max_transform_ms(stages: Stages) -> Observed[Amount]:
    """How long does the slowest transform take per image?

    Why it matters:
        One step usually takes most of the time, and it is seldom the one you suspect.

    Example:
        max_transform_ms: 10

    What the number means:
        Median time per image of the slowest step of `train_transform`, or of `transform` if there is no other, in one
        process after a warm-up round. No verdict when rounds scatter too widely.
    """
    steps = stages.train_transform or stages.transform
    slowest = max(steps, key=mean_seconds)
    value = 1000 * steady_median(slowest.seconds, f"rounds of {slowest.name}")
    details = {"slowest": slowest.name, "steps": step_lines(steps), "decoding ms": 1000 * mean_seconds(stages.decoding)}
    return Observed(value, details)

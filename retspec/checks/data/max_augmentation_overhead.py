"""`max_augmentation_overhead`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.checks.data._reading import step_lines
from retspec.facts import Stage, Stages
from retspec.facts.timing import steady_median
from retspec.plugin import Observed, SubjectError, check
from retspec.records import Fraction

if TYPE_CHECKING:
    from collections.abc import Sequence


@check(
    direction="at most",
    advice="Move the slowest step in the details after the crop or onto the GPU, or leave it out.",
)
def max_augmentation_overhead(stages: Stages) -> Observed[Fraction]:
    """What share of the time per image does augmentation take?

    Why it matters:
        Augmentation at full resolution can cost more than decoding, and then limits the speed of training.

    Example:
        max_augmentation_overhead: 0.2

    What the number means:
        How much longer `train_transform` takes than `transform`, as a fraction of decoding plus `train_transform`;
        medians over rounds, in one process. No verdict when rounds scatter too widely.
    """
    if not stages.train_transform:
        raise SubjectError("`data` names no transform that augments; add `train_transform`", path="data")
    decoding = steady_median(stages.decoding.seconds, "rounds of decoding")
    training = steady_median(_total(stages.train_transform), "rounds of augmenting")
    evaluating = steady_median(_total(stages.transform), "rounds of transforming")
    overhead = max(training - evaluating, 0.0)
    details = {
        "decoding ms": 1000 * decoding,
        "transform ms": 1000 * evaluating,
        "train_transform ms": 1000 * training,
        "steps of train_transform": step_lines(stages.train_transform),
    }
    return Observed(overhead / (decoding + training), details)


def _total(steps: Sequence[Stage]) -> list[float]:
    """Return the seconds per image of all steps together, round by round."""
    return [sum(each) for each in zip(*(step.seconds for step in steps), strict=True)]

"""How several learning checks read the facts about steps, memory and overfitting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.facts.timing import steady_median
from retspec.facts.training import NOTHING_TO_LEARN, task_shown
from retspec.plugin import Inconclusive

if TYPE_CHECKING:
    from retspec.facts import Overfitting, Training

WarmUp = Annotated[int, Meta(ge=0, description="Steps to leave out at the start.")]
MEGABYTE = 1e6
LEAST_PASSES = 3
"""A factor that starts at zero (B of LoRA, a zeroed head) hides its partner's gradient; two updates uncover it."""


def steady_times(training: Training, warmup: int) -> tuple[tuple[float, ...], float]:
    """Return the seconds of each step after the warm-up, and their median in seconds.

    Raises Inconclusive when there are too few of them, or when they scatter too widely.
    """
    times = training.seconds[warmup:]
    remedy = f"run on a quieter machine or {training.remedy}"
    return times, steady_median(times, "steps after warm-up", remedy=remedy)


def overfitting_details(overfitting: Overfitting) -> dict[str, object]:
    """Return the details that the three overfitting checks share.

    Raises Inconclusive when there was nothing to learn.
    """
    if overfitting.first_loss == 0:
        raise Inconclusive(NOTHING_TO_LEARN)
    right = {"right": overfitting.counts} if overfitting.counts else {}
    return {
        "samples": overfitting.samples,
        **task_shown(overfitting.task),
        "loss": overfitting.loss,
        "accuracy": overfitting.accuracy,
        **right,
        **overfitting.scores,
        "learnt after": "never" if overfitting.learnt_at is None else f"{overfitting.learnt_at} steps",
        "most steps": overfitting.most_steps,
        **({"look at": [*overfitting.suspicions]} if overfitting.suspicions else {}),
    }

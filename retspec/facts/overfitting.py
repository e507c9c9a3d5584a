"""Facts about memorizing a handful of samples."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Overfitting(Struct, frozen=True):
    """A training on a few samples, until they are memorized or the steps are used up."""

    samples: int
    most_steps: int
    """Optimizer steps after which the training gives up."""
    learnt_at: int | None
    """Optimizer steps until the samples were learnt by heart, as the task says; None if that never happened."""
    accuracy: float | None
    """Share of right answers, from 0 to 1, when they were learnt or at the end, in train mode without dropout; None
    where it is not known what is right."""
    loss: float
    """Mean loss over the samples at the end."""
    floor_known: bool = True
    """Whether the loss is known to fall to zero; it is not for one whose level of chance is not known."""
    first_loss: float | None = None
    """Mean loss over the samples before the first step; None in results of older versions."""
    suspicions: tuple[str, ...] = ()
    """What looks wrong about the first logits, in words."""
    task: str | None = None
    """What the outputs and targets mean; empty where that is not certain, None in results of older versions."""
    counts: str = ""
    """What `accuracy` is a share of, in words."""
    scores: dict[str, Any] = {}
    """More about the answers, such as the Dice coefficient of each class."""
    losses: tuple[tuple[int, float], ...] = ()
    """Optimizer steps before, and the mean loss over the samples: at most 100, at equal distances, and the last; empty
    in results of older versions."""
    unknown: str = ""
    """Why it is not known what is right; empty where it is."""

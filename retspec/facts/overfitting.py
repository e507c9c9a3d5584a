"""Facts about learning a handful of samples by heart."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Overfitting:
    """A training on a few samples, until they are learnt or the steps are used up."""

    samples: int
    most_steps: int
    learnt_at: int | None
    """The step after which every sample was right and the loss low enough, or None."""
    accuracy: float
    """Fraction of the samples that is right at the end, in train mode without dropout."""
    loss: float
    """Mean loss at the end."""

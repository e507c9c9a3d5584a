"""Facts about memorizing a handful of samples."""

from __future__ import annotations

from msgspec import Struct


class Overfitting(Struct, frozen=True):
    """A training on a few samples, until they are memorized or the steps are used up."""

    samples: int
    most_steps: int
    """Optimizer steps after which the training gives up."""
    learnt_at: int | None
    """Optimizer steps until every sample was right and the loss low enough; None if that never happened."""
    accuracy: float
    """Fraction of the samples that is right at the end, from 0 to 1, in train mode without dropout."""
    loss: float
    """Mean loss over the samples at the end."""
    floor_known: bool = True
    """Whether the loss is known to fall to zero; it is not for one whose level of chance is not known."""
    first_loss: float | None = None
    """Mean loss over the samples before the first step; None in results of older versions."""
    suspicions: tuple[str, ...] = ()
    """What looks wrong about the first logits, in words."""

"""Facts about a short training on one fixed batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.errors import Inconclusive
from retspec.facts.parameters import Group

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class GradientHistory:
    """The gradient of one trainable parameter over the steps."""

    name: str
    group: Group
    norms: tuple[float | None, ...]
    """Euclidean norm per step that the loss scaler did not skip; None where there was no finite gradient."""
    nonfinite_steps: int
    """Steps in which the gradient held NaN or infinity."""
    moved: bool
    """Whether a gradient moved the parameter: weight decay alone is no movement."""

    @property
    def is_dead(self) -> bool:
        """Whether the gradient was missing or exactly zero in every step."""
        return self.nonfinite_steps == 0 and not any(self.norms)


def drop(losses: Sequence[float]) -> float:
    """Return how far some losses fell from the first to the last, as a fraction of the first, which is positive."""
    return 1 - losses[-1] / losses[0]


@dataclass(frozen=True)
class Training:
    """What a training of up to `steps` optimizer steps showed.

    It ends at the first loss that is not finite, or where `train.stop_at_drop` says that the loss has fallen enough.
    """

    steps: int
    """Steps that were asked for."""
    losses: tuple[float, ...]
    """Mean loss of each step that was taken, before its update, as long as it is finite."""
    nonfinite_loss_at: int | None
    """Index of the step whose loss was not finite, or None."""
    nonfinite_operation: str
    """The operation that made the loss not finite, where it could be found."""
    gradients: tuple[GradientHistory, ...]
    """One per trainable parameter."""
    drifted: tuple[str, ...]
    """Frozen parameters, and buffers of frozen modules, that training changed."""
    chance_loss: float | None
    """Loss of a classifier that knows nothing: ln C for cross-entropy over C classes, ln 2 for binary, else None."""
    seconds: tuple[float, ...]
    """Time of each step, in seconds: forward, backward, optimizer."""
    batch_size: int
    """Images per step."""
    skipped: tuple[int, ...] | None
    """Indices of the steps that the loss scaler skipped; None where no scaler was at work."""
    nonfinite_backward: str = ""
    """The operation that made a gradient not finite while the loss was, where it could be found."""

    @property
    def ended_early(self) -> bool:
        """Whether steps were spared because the loss had fallen by `train.stop_at_drop`."""
        return self.nonfinite_loss_at is None and len(self.losses) < self.steps

    @property
    def extent(self) -> dict[str, object]:
        """The steps that were taken, as details; with those that were asked for where some were spared."""
        spared = {"asked for": self.steps, "ended by": "train.stop_at_drop"} if self.ended_early else {}
        return {"steps": len(self.losses), **spared}

    @property
    def remedy(self) -> str:
        """What gives more steps."""
        return "raise `train.min_steps`" if self.ended_early else "raise `train.steps`"

    def finite_losses(self, least: int) -> tuple[float, ...]:
        """Return the losses of a training that stayed finite and ran at least so many steps.

        Raises Inconclusive otherwise: nothing can be said about a curve that is not there.
        """
        if self.nonfinite_loss_at is not None:
            raise Inconclusive(
                f"the loss is not finite at step {self.nonfinite_loss_at + 1}; `nonfinite_steps` tells more"
            )
        if len(self.losses) < least:
            raise Inconclusive(f"{len(self.losses)} steps are too few, this needs {least}; {self.remedy}")
        return self.losses

    def positive_losses(self) -> tuple[float, ...]:
        """Return the losses, of which a change is a fraction: at least two, the first above zero, none below.

        Raises Inconclusive otherwise: a loss that goes below zero may have the wrong sign.
        """
        losses = self.finite_losses(2)
        if min(losses) < 0 or losses[0] == 0:
            raise Inconclusive(
                f"the loss goes from {losses[0]:.3g} to {losses[-1]:.3g}: only of a positive one is a change a fraction"
            )
        return losses

    def gradients_over(self, least: int) -> tuple[GradientHistory, ...]:
        """Return the gradients of a training in which at least so many backward passes ran.

        Raises Inconclusive otherwise.
        """
        passes = max((len(gradient.norms) for gradient in self.gradients), default=0)
        if passes < least:
            stopped = "" if self.nonfinite_loss_at is None else "; the loss is not finite, see `nonfinite_steps`"
            stopped += "; the loss scaler skipped the others, see `amp_skipped_steps`" if self.skipped else ""
            raise Inconclusive(f"{passes} backward passes are too few, this needs {least}{stopped}")
        return self.gradients


@dataclass(frozen=True)
class AdapterEffect:
    """How far the trained adapter moves the logits, with the trained head in place."""

    absolute: float
    """Largest absolute difference of a logit with the adapter and without."""
    relative: float
    """The same as a fraction of the largest absolute logit."""

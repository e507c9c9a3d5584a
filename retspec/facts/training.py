"""Facts about a short training on one fixed batch."""

from __future__ import annotations

from dataclasses import dataclass

from retspec.errors import Inconclusive
from retspec.facts.parameters import Group


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


@dataclass(frozen=True)
class Training:
    """What a training of `steps` optimizer steps showed. It stops at the first loss that is not finite."""

    steps: int
    """Steps that were asked for."""
    losses: tuple[float, ...]
    """Mean loss of each step, before its update, as long as it is finite."""
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

    def finite_losses(self, least: int) -> tuple[float, ...]:
        """Return the losses of a training that stayed finite and ran at least so many steps.

        Raises Inconclusive otherwise: nothing can be said about a curve that is not there.
        """
        if self.nonfinite_loss_at is not None:
            raise Inconclusive(
                f"the loss is not finite at step {self.nonfinite_loss_at + 1}; `nonfinite_steps` tells more"
            )
        if len(self.losses) < least:
            raise Inconclusive(f"{len(self.losses)} steps are too few, this needs {least}; raise `train.steps`")
        return self.losses

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

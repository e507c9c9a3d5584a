"""Facts about a short training on one fixed batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from retspec.errors import Inconclusive
from retspec.facts.parameters import Group

if TYPE_CHECKING:
    from collections.abc import Sequence


class GradientHistory(Struct, frozen=True):
    """The gradient of one trainable parameter over the steps."""

    name: str
    group: Group
    norms: tuple[float | None, ...]
    """Euclidean norm, one entry per step that the loss scaler did not skip; None without a finite gradient."""
    nonfinite_steps: int
    """Number of steps in which the gradient held NaN or infinity."""
    moved: bool
    """Whether a gradient moved the parameter; weight decay alone does not count."""
    out_of_reach: bool = False
    """Whether it could not move so far: its rate was still rising, and too low for the parameter's precision."""

    @property
    def is_dead(self) -> bool:
        """Whether the gradient was missing or exactly zero in every step."""
        return self.nonfinite_steps == 0 and not any(self.norms)


NOTHING_TO_LEARN = (
    "the loss is zero before the first step, which proves nothing: there is nothing to learn. Cross-entropy over one "
    "output is always zero; give the model one output per class, or set `train.loss: bce_with_logits`"
)
"""Why a training that starts at a loss of zero has no observation."""


def task_shown(task: str | None) -> dict[str, str]:
    """Return a task as details, an uncertain one with what to do about it; nothing where nobody asked."""
    return {} if task is None else {"task": task or "not certain; say it as `train.task`"}


def drop(losses: Sequence[float]) -> float:
    """Return the fraction by which losses fell, 1 - last / first; the first must be positive."""
    return 1 - losses[-1] / losses[0]


class Training(Struct, frozen=True):
    """The facts about a training of up to `steps` optimizer steps.

    It ends at the first loss that is not finite, or when the loss has fallen by `train.stop_at_drop`.
    """

    steps: int
    """Optimizer steps that were requested."""
    losses: tuple[float, ...]
    """Mean loss of each step before its update, one entry per step that was taken, up to the last finite one."""
    nonfinite_loss_at: int | None
    """Index of the step whose loss was not finite, from 0, or None."""
    nonfinite_operation: str
    """The operation that made the loss not finite, if it could be found."""
    gradients: tuple[GradientHistory, ...]
    """One per trainable parameter."""
    drifted: tuple[str, ...]
    """Names of the frozen parameters, and buffers of frozen modules, that training changed."""
    chance_loss: float | None
    """Loss of equal probabilities: ln C for cross-entropy over C classes, ln 2 for binary cross-entropy, else None."""
    seconds: tuple[float, ...]
    """Seconds of each step, one entry per step that was taken: forward, backward, optimizer."""
    batch_size: int
    """Images per step."""
    skipped: tuple[int, ...] | None
    """Indices, from 0, of the steps that the loss scaler skipped; None without a loss scaler."""
    nonfinite_backward: str = ""
    """The operation that made a gradient not finite although the loss was finite, if it could be found."""
    suspicions: tuple[str, ...] = ()
    """What looks wrong about the first logits, in words, such as probabilities in front of a cross-entropy."""
    task: str | None = None
    """What the outputs and targets mean; empty where that is not certain, None where nobody asked."""

    @property
    def ended_early(self) -> bool:
        """Whether training ended before its last step because the loss had fallen by `train.stop_at_drop`."""
        return self.nonfinite_loss_at is None and len(self.losses) < self.steps

    @property
    def extent(self) -> dict[str, object]:
        """As details: the steps that were taken, those that were requested if that is more, and what looks wrong."""
        early = {"asked for": self.steps, "ended by": "train.stop_at_drop"} if self.ended_early else {}
        wrong = {"look at": [*self.suspicions]} if self.suspicions else {}
        return {"steps": len(self.losses), **early, **task_shown(self.task), **wrong}

    @property
    def remedy(self) -> str:
        """What to do to get more steps."""
        return "raise `train.min_steps`" if self.ended_early else "raise `train.steps`"

    def finite_losses(self, least: int) -> tuple[float, ...]:
        """Return the losses of a training that had something to learn, stayed finite and took `least` steps or more.

        Raises Inconclusive otherwise.
        """
        self._require_a_loss()
        if self.nonfinite_loss_at is not None:
            raise Inconclusive(f"the loss is not finite at step {self.nonfinite_loss_at + 1}; see `nonfinite_steps`")
        if len(self.losses) < least:
            raise Inconclusive(f"{len(self.losses)} steps are too few, this needs {least}; {self.remedy}")
        return self.losses

    def _require_a_loss(self) -> None:
        if self.losses and self.losses[0] == 0:
            raise Inconclusive(NOTHING_TO_LEARN)

    def positive_losses(self) -> tuple[float, ...]:
        """Return losses whose change is a fraction: at least two, the first above zero, none below.

        Raises Inconclusive otherwise: a loss below zero may have the wrong sign.
        """
        losses = self.finite_losses(2)
        if min(losses) < 0:
            raise Inconclusive(
                f"the loss goes from {losses[0]:.3g} to {losses[-1]:.3g}: a relative change needs a positive loss"
            )
        return losses

    def gradients_over(self, least: int) -> tuple[GradientHistory, ...]:
        """Return the gradients of a training that had something to learn, with at least `least` backward passes.

        Raises Inconclusive otherwise.
        """
        self._require_a_loss()
        passes = max((len(gradient.norms) for gradient in self.gradients), default=0)
        if passes < least:
            stopped = "" if self.nonfinite_loss_at is None else "; the loss is not finite, see `nonfinite_steps`"
            stopped += "; the loss scaler skipped the others, see `amp_skipped_steps`" if self.skipped else ""
            raise Inconclusive(f"{passes} backward passes are too few, this needs {least}{stopped}")
        return self.gradients


class AdapterEffect(Struct, frozen=True):
    """How far the trained adapter moves the logits, with the trained head."""

    absolute: float
    """Largest absolute difference between a logit with the adapter and without it."""
    relative: float
    """The same as a fraction of the largest absolute logit; it has no unit."""
    read_past: tuple[str, ...] = ()
    """Adapted layers whose weight torch reads past the adapter, as nn.MultiheadAttention does with its `out_proj`."""

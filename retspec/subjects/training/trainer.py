"""`Trainer`, the base class of every kind of training: takes optimizer steps on a model and a batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import nullcontext
from math import isfinite
from typing import TYPE_CHECKING

from retspec.errors import Inconclusive

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from torch import Tensor, nn
    from torch.optim import Optimizer

    from retspec.subjects.data.batch import Batch
    from retspec.subjects.training.tasks.task import Task


class Trainer(ABC):
    """Runs forward, loss, backward and update on one batch, in one or more micro-batches.

    A subclass must define `optimizers` and `compute_loss`. Everything else has a default: one micro-batch, no loss
    scaler, one `step` of each optimizer per update.
    """

    scales = False
    """Whether a loss scaler is used, which may skip a step."""

    suspicions: tuple[str, ...] = ()
    """What looks wrong about the first logits, in words; it explains a verdict and decides none."""

    task: Task | None = None
    """What the outputs and targets mean, once a batch has shown it; None where that is not certain."""

    def __init__(self, model: nn.Module, batch: Batch) -> None:
        self.model = model
        self.batch = batch
        self.device = batch.inputs.device
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.see: Callable[[Tensor, Tensor], None] = _ignore
        """Called with the logits (images, classes) and targets of each micro-batch, before its loss is computed."""
        self.around: Callable[[], AbstractContextManager[object]] = nullcontext
        """Returns a context that is entered while the loss of a micro-batch is computed."""

    @property
    @abstractmethod
    def optimizers(self) -> Sequence[Optimizer]:
        """The optimizers that take a step in an update."""

    @abstractmethod
    def compute_loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss, a scalar, of inputs (images, ...) and targets (images,) or (images, classes).

        Must keep its autograd graph, and call `self.see(logits, targets)` before it computes the loss.
        """

    @property
    def chance_loss(self) -> float | None:
        """Mean loss of a classifier that has learnt nothing; None where it is not known."""
        return None

    @property
    def floor_known(self) -> bool:
        """Whether the loss is known to fall to zero when every answer is right."""
        return self.chance_loss is not None

    def micro_batches(self) -> list[tuple[Tensor, Tensor]]:
        """Return (inputs, targets) of each micro-batch of a step."""
        return [(self.batch.inputs, self.batch.targets)]

    def share(self, targets: Tensor) -> float | Tensor:
        """Return the weight, from 0 to 1, of a micro-batch in the mean loss of the whole batch."""
        return len(targets) / len(self.batch.targets)

    def weighs_nothing(self, targets: Tensor) -> bool:  # noqa: ARG002 - every micro-batch counts by default
        """Whether a micro-batch has no weight in the mean loss, so that its own loss need not be finite."""
        return False

    def scale(self, loss: Tensor) -> Tensor:
        """Return the scalar that the backward pass starts from: the loss, scaled if there is a loss scaler."""
        return loss

    def unscale(self) -> None:  # noqa: B027 - nothing to undo by default
        """Undo the factor of `scale` in the gradients."""

    def update(self) -> bool:
        """Apply the gradients; return False when the step was skipped."""
        for optimizer in self.optimizers:
            optimizer.step()
        return True

    def loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return `compute_loss` of inputs and targets, inside the context `around`."""
        with self.around():
            return self.compute_loss(inputs, targets)

    def backward(self) -> float | None:
        """Compute the gradients and return the mean loss of the batch, or None when a loss is not finite.

        Parameters keep no gradient when the loss depends on none of them.
        """
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for inputs, targets in self.micro_batches():
            loss = self.loss(inputs, targets) * self.share(targets)
            value = float(loss.detach())
            if not isfinite(value):
                if self.weighs_nothing(targets):
                    continue
                return None
            if loss.requires_grad:
                self.scale(loss).backward()  # type: ignore[no-untyped-call]
            total += value
        if self.has_gradients:
            self.unscale()
        return total

    def finite_backward(self) -> float:
        """Compute the gradients and return the mean loss.

        Raises Inconclusive when it is not finite.
        """
        loss = self.backward()
        if loss is None:
            raise Inconclusive("the loss is not finite; see `nonfinite_steps`")
        return loss

    def take(self, batch: Batch) -> None:
        """Use another batch for the next steps."""
        self.batch = batch

    @property
    def has_gradients(self) -> bool:
        """Whether any trainable parameter has a gradient."""
        return any(parameter.grad is not None for parameter in self.parameters)

    @property
    def batch_size(self) -> int:
        """Images per step."""
        return len(self.batch.inputs)

    @property
    def first_micro_batch(self) -> tuple[Tensor, Tensor]:
        """(inputs, targets) of the first micro-batch."""
        return self.micro_batches()[0]


def _ignore(_logits: Tensor, _targets: Tensor) -> None:
    """Do nothing."""

"""What every kind of training gives: a trainer, which takes optimizer steps on a model and a batch."""

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


class Trainer(ABC):
    """Forward, loss, backward and update on one batch, in one micro-batch or several.

    A kind of training has to say which optimizers there are and what the loss is. All else has a plain default:
    one micro-batch, no loss scaler, one `step` of each optimizer per update.
    """

    scales = False
    """Whether a loss scaler is at work, which may skip a step."""

    def __init__(self, model: nn.Module, batch: Batch) -> None:
        self.model = model
        self.batch = batch
        self.device = batch.inputs.device
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.see: Callable[[Tensor, Tensor], None] = _ignore
        """Called with the logits (images, classes) and targets of each micro-batch, before its loss is computed."""
        self.around: Callable[[], AbstractContextManager[object]] = nullcontext
        """Entered for as long as the loss of a micro-batch is computed."""

    @property
    @abstractmethod
    def optimizers(self) -> Sequence[Optimizer]:
        """The optimizers that take a step in an update."""

    @abstractmethod
    def compute_loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of inputs (images, ...) and their targets, a scalar; calls `see` on the way."""

    @property
    def chance_loss(self) -> float | None:
        """Loss of a classifier that knows nothing; None where it is not known."""
        return None

    def micro_batches(self) -> list[tuple[Tensor, Tensor]]:
        """Return inputs and targets of each micro-batch of a step."""
        return [(self.batch.inputs, self.batch.targets)]

    def share(self, targets: Tensor) -> float | Tensor:
        """Return the weight of a micro-batch in the mean loss of the whole batch."""
        return len(targets) / len(self.batch.targets)

    def weighs_nothing(self, targets: Tensor) -> bool:  # noqa: ARG002 - every micro-batch counts by default
        """Whether a micro-batch takes no part in the mean loss, so that its own loss need not be finite."""
        return False

    def scale(self, loss: Tensor) -> Tensor:
        """Return what the backward pass starts from."""
        return loss

    def unscale(self) -> None:  # noqa: B027 - nothing to undo by default
        """Undo `scale` in the gradients."""

    def update(self) -> bool:
        """Apply the gradients; False when the step was skipped."""
        for optimizer in self.optimizers:
            optimizer.step()
        return True

    def loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of some inputs as a scalar that can be differentiated."""
        with self.around():
            return self.compute_loss(inputs, targets)

    def backward(self) -> float | None:
        """Compute the gradients and return the mean loss of the batch, or None as soon as a loss is not finite.

        A loss that nothing trainable takes part in has no gradient: every parameter is left without one.
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
        """Compute the gradients and return the mean loss; raises Inconclusive when it is not finite."""
        loss = self.backward()
        if loss is None:
            raise Inconclusive("the loss is not finite; `nonfinite_steps` tells more")
        return loss

    def take(self, batch: Batch) -> None:
        """Train on another batch from now on."""
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
        """Inputs and targets of the first micro-batch."""
        return self.micro_batches()[0]


def _ignore(_logits: Tensor, _targets: Tensor) -> None:
    """Look at nothing."""

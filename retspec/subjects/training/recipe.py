"""One training step, taken as the recipe says."""

from __future__ import annotations

from contextlib import nullcontext
from math import isfinite, log
from typing import TYPE_CHECKING, Any

from retspec.errors import Inconclusive, SubjectError, describe
from retspec.subjects.callables import call, load_callable
from retspec.subjects.models.outputs import logits_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    import torch
    from torch import Tensor, nn

    from retspec.records import Recipe
    from retspec.subjects.subject import Batch


class Trainer:
    """Forward, loss, backward and update on one batch, in micro-batches if the recipe accumulates."""

    def __init__(self, model: nn.Module, batch: Batch, recipe: Recipe) -> None:
        import torch

        self.recipe = recipe
        self.device = batch.inputs.device
        self.chance_loss: float | None = None
        self._model = model
        self._batch = batch
        self._loss = _loss_function(recipe.loss)
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self._optimizer = make_optimizer(self._parameters, recipe)
        self._scaler = torch.amp.GradScaler(self.device.type, enabled=recipe.amp == "float16")

    def backward(self) -> float | None:
        """Compute the gradients and return the mean loss of the batch, or None as soon as a loss is not finite.

        A loss that nothing trainable takes part in has no gradient: every parameter is left without one.
        """
        self._optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for inputs, targets in self._micro_batches():
            loss = self.loss(inputs, targets) * (len(inputs) / len(self._batch.inputs))
            value = float(loss.detach())
            if not isfinite(value):
                return None
            if loss.requires_grad:
                self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            total += value
        if self._has_gradients:
            self._scaler.unscale_(self._optimizer)
        return total

    def finite_backward(self) -> float:
        """Compute the gradients and return the mean loss; raises Inconclusive when it is not finite."""
        loss = self.backward()
        if loss is None:
            raise Inconclusive("the loss is not finite; `nonfinite_steps` tells more")
        return loss

    def update(self) -> bool:
        """Apply the gradients; False when the loss scaler found them not finite and skipped the step."""
        if not self._has_gradients:  # the scaler refuses what nothing was scaled for
            return True
        before = self._scaler.get_scale()
        self._scaler.step(self._optimizer)
        self._scaler.update()
        return self._scaler.get_scale() >= before

    def loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of some inputs as a scalar that can be differentiated.

        Raises SubjectError when the loss does not fit the logits and the targets.
        """
        with self._autocast():
            logits = logits_of(self._model(inputs))
            self.chance_loss = _chance_loss(self.recipe.loss, logits.shape[-1])
            self.see(logits.detach(), targets)
            try:
                return self._loss(logits, targets)
            except (RuntimeError, ValueError, IndexError, TypeError) as error:
                raise SubjectError(
                    f"{self.recipe.loss} fails on logits of shape {tuple(logits.shape)} and targets of shape "
                    f"{tuple(targets.shape)} ({targets.dtype}, {targets.min()} to {targets.max()}): {describe(error)}",
                    path="train.loss",
                ) from error

    def take(self, batch: Batch) -> None:
        """Train on another batch from now on."""
        self._batch = batch

    def see(self, logits: Tensor, targets: Tensor) -> None:
        """Look at the answers of a micro-batch; for those who want to know more than the loss."""

    @property
    def _has_gradients(self) -> bool:
        return any(parameter.grad is not None for parameter in self._parameters)

    @property
    def batch_size(self) -> int:
        """Images per step."""
        return len(self._batch.inputs)

    @property
    def first_micro_batch(self) -> tuple[Tensor, Tensor]:
        """Inputs and targets of the first micro-batch."""
        return self._micro_batches()[0]

    def _micro_batches(self) -> list[tuple[Tensor, Tensor]]:
        parts = min(self.recipe.accumulation, len(self._batch.inputs))
        return list(zip(self._batch.inputs.tensor_split(parts), self._batch.targets.tensor_split(parts), strict=True))

    def _autocast(self) -> AbstractContextManager[Any]:
        import torch

        if self.recipe.amp == "none":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=getattr(torch, self.recipe.amp))


def make_optimizer(parameters: list[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """Return the recipe's optimizer over these parameters."""
    from torch import optim

    if recipe.optimizer == "sgd":
        return optim.SGD(parameters, lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay)
    return optim.AdamW(parameters, lr=recipe.lr, weight_decay=recipe.weight_decay)


def _loss_function(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    from torch.nn import functional

    if name == "cross_entropy":
        return functional.cross_entropy
    if name == "bce_with_logits":
        return _bce_with_logits
    function = load_callable(name, path="train.loss")
    return lambda logits, targets: call(name, function, {"logits": logits, "targets": targets}, path="train.loss")


def _bce_with_logits(logits: Tensor, targets: Tensor) -> Tensor:
    """Take class numbers as one label out of many, and anything else as it is."""
    from torch.nn import functional

    if targets.dim() == 1 and not targets.is_floating_point():
        targets = functional.one_hot(targets, logits.shape[-1])
    return functional.binary_cross_entropy_with_logits(logits, targets.to(logits.dtype))


def _chance_loss(loss: str, classes: int) -> float | None:
    """Return the loss of a classifier that knows nothing, for the losses that have such a level."""
    if loss == "bce_with_logits":
        return log(2)
    return log(classes) if loss == "cross_entropy" and classes > 1 else None

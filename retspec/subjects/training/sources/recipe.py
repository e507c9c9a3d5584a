"""The built-in training, which the keys of the section `train` configure."""

from __future__ import annotations

from contextlib import nullcontext
from math import log
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError, describe
from retspec.plugin import training_source
from retspec.records import Recipe, is_reference
from retspec.subjects.callables import call
from retspec.subjects.devices import autocast
from retspec.subjects.models.outputs import logits_of
from retspec.subjects.models.registration import require_registered
from retspec.subjects.training.loss_inputs import has_no_values, held_against, suspicions_about
from retspec.subjects.training.optimizers import optimization
from retspec.subjects.training.own_loss import OwnLoss
from retspec.subjects.training.own_step import OwnStep
from retspec.subjects.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from torch import Tensor, nn

    from retspec.subjects.data.batch import Batch


@training_source
def recipe(value: Recipe, model: nn.Module, batch: Batch) -> Trainer:
    """Train with the other keys of `train`; the default."""
    return RecipeTrainer(model, batch, value)


class RecipeTrainer(Trainer):
    """Takes the optimizer steps that a recipe describes, in micro-batches when it accumulates gradients."""

    def __init__(self, model: nn.Module, batch: Batch, recipe: Recipe) -> None:
        import torch

        super().__init__(model, batch)
        self._recipe = recipe
        self._classes: int | None = None
        self._is_first = True
        self._weights = None if recipe.class_weights is None else torch.tensor(recipe.class_weights, device=self.device)
        self._own_step = None if recipe.step is None else OwnStep(recipe.step, recipe.amp)
        self._own_loss = OwnLoss(recipe.loss) if is_reference(recipe.loss) else None
        self._optimizer, self._scheduler = optimization(model, recipe)
        self.scales = recipe.amp == "float16"
        self._scaler = torch.amp.GradScaler(self.device.type, enabled=self.scales)

    @property
    def optimizers(self) -> Sequence[torch.optim.Optimizer]:
        """The recipe's only optimizer."""
        return [self._optimizer]

    @property
    def chance_loss(self) -> float | None:
        """Mean loss, in nats, of logits that are all equal; None before the first loss, or where unknown.

        Cross-entropy of C classes: ln C, also with label smoothing, since smoothed targets sum to one. Class weights
        with soft or smoothed targets shift it: then it is computed on the targets of the batch. Binary cross-entropy:
        ln 2.
        """
        if self._own_step is not None:
            return None
        if self._recipe.loss == "bce_with_logits":
            return log(2)
        if self._recipe.loss != "cross_entropy" or self._classes is None or self._classes < 2:  # noqa: PLR2004 - no choice
            return None
        targets = self.batch.targets
        if self._weights is None or not (self._recipe.label_smoothing or targets.is_floating_point()):
            return log(self._classes)
        return float(self._cross_entropy(self._weights.new_zeros(len(targets), self._classes), targets))

    def micro_batches(self) -> list[tuple[Tensor, Tensor]]:
        """Return (inputs, targets) of each micro-batch: `accumulation` of them, or one per image if fewer."""
        return self.batch.split(self._recipe.accumulation)

    def share(self, targets: Tensor) -> float | Tensor:
        """Return the weight of a micro-batch in the mean loss: its part of the images, or of the sum of class weights.

        targets: (images,) or (images, classes). With class weights and class numbers, torch divides by the sum of the
        weights of the targets:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
        """
        if self._weights is None or targets.is_floating_point() or len(targets) == len(self.batch.targets):
            return super().share(targets)
        return self._weights[targets].sum() / self._weights[self.batch.targets].sum()

    def weighs_nothing(self, targets: Tensor) -> bool:
        """Whether the class weights of a micro-batch are all 0: torch then divides 0 by 0.

        Raises SubjectError when those of the whole batch are: nothing can be learnt from it.
        """
        if self._weights is None or targets.is_floating_point() or self._weights[targets].any():
            return False
        if not self._weights[self.batch.targets].any():
            raise SubjectError("every image of the batch is of a class that weighs 0", path="train.class_weights")
        return True

    def backward(self) -> float | None:
        """Compute the gradients and return the mean loss of the batch, or None when a loss is not finite.

        Those of before are dropped also where an optimizer of the user's own does not hold the parameter.
        """
        for parameter in self.parameters:
            parameter.grad = None
        return super().backward()

    def scale(self, loss: Tensor) -> Tensor:
        """Return the loss times the factor of the loss scaler; unchanged without float16."""
        scaled: Tensor = self._scaler.scale(loss)
        return scaled

    def unscale(self) -> None:
        """Divide the gradients by the factor of the loss scaler."""
        self._scaler.unscale_(self._optimizer)

    def update(self) -> bool:
        """Apply the gradients; return False when the loss scaler found them not finite and skipped the step.

        Gradients are clipped here, after they are unscaled and measured, as in
        https://docs.pytorch.org/docs/stable/notes/amp_examples.html. The scheduler takes one step per update.
        """
        if not self.has_gradients:  # GradScaler.step fails when no gradient was scaled
            return True
        self._clip()
        before = self._scaler.get_scale()
        self._apply("optimizer", lambda: self._scaler.step(self._optimizer))
        self._scaler.update()
        updated = self._scaler.get_scale() >= before
        if updated and self._scheduler is not None:
            self._apply("scheduler", self._scheduler.step)
        return updated

    def _apply(self, key: str, step: Callable[[], Any]) -> None:
        """Take a step; what fails in a user's own is theirs, with the line of the file."""
        choice = getattr(self._recipe, key) or self._recipe.optimizer  # a scheduler may come with the optimizer
        if is_reference(choice):
            call(f"step() of the {key} of {choice}", step, (), path=f"train.{key}")
        else:
            step()

    def compute_loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss, a scalar, of inputs (images, ...) and targets (images,) or (images, classes).

        Raises SubjectError when the loss fails on the logits and targets, or takes the first ones wrongly, or the class
        weights are too few or too many.
        """
        with autocast(self.device, self._recipe.amp):
            if self._own_step is not None:
                return self._own_step(self.model, inputs, targets, self.see, self.parameters)
            outputs = self.model(inputs)
            logits = logits_of(outputs)
            self._classes = logits.shape[-1]
            self.see(logits.detach(), targets)
            first, self._is_first = self._is_first, False
            if first and not has_no_values(logits):
                require_registered(self.model, logits)
                self.suspicions = suspicions_about(self._recipe.loss, logits)
            if self._own_loss is not None:
                with held_against(self._recipe.loss, logits, targets) if first else nullcontext():
                    return self._own_loss(outputs, logits, targets)
            self._require_a_weight_per_class(logits.shape[-1])
            try:
                with held_against(self._recipe.loss, logits, targets) if first else nullcontext():
                    return self._named_loss(logits, targets)
            except (RuntimeError, ValueError, IndexError, TypeError) as error:
                raise SubjectError(
                    f"{self._recipe.loss} fails on logits of shape {tuple(logits.shape)} and targets of shape "
                    f"{tuple(targets.shape)} ({targets.dtype}, {targets.min()} to {targets.max()}): {describe(error)}",
                    path="train.loss",
                ) from error

    def _require_a_weight_per_class(self, classes: int) -> None:
        if self._weights is not None and len(self._weights) != classes:
            raise SubjectError(
                f"there are {len(self._weights)} class weights, and the model has {classes} classes; give one for each",
                path="train.class_weights",
            )

    def _clip(self) -> None:
        from torch.nn.utils import clip_grad_norm_

        if self._recipe.clip_norm is not None:
            clip_grad_norm_(self.parameters, self._recipe.clip_norm)

    def _named_loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        bce = self._recipe.loss == "bce_with_logits"
        return _bce_with_logits(logits, targets) if bce else self._cross_entropy(logits, targets)

    def _cross_entropy(self, logits: Tensor, targets: Tensor) -> Tensor:
        from torch.nn import functional

        # Under autocast, torch computes the loss in float32 whatever the logits are.
        weights = self._weights
        if weights is not None and self._recipe.amp == "none":
            weights = weights.to(logits.dtype)
        smoothing = self._recipe.label_smoothing
        return functional.cross_entropy(logits, targets, weight=weights, label_smoothing=smoothing)


def _bce_with_logits(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean binary cross-entropy of logits (images, classes); class numbers (images,) become one-hot."""
    from torch.nn import functional

    if targets.dim() == 1 and not targets.is_floating_point():
        targets = functional.one_hot(targets, logits.shape[-1])
    return functional.binary_cross_entropy_with_logits(logits, targets.to(logits.dtype))

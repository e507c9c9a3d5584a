"""The built-in training, which the keys of the section `train` configure."""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from retspec.errors import NoVerdict, SubjectError, describe
from retspec.plugin import training_source
from retspec.records import Recipe, is_reference
from retspec.subjects.callables import call
from retspec.subjects.data.parts import parts_of
from retspec.subjects.devices import autocast
from retspec.subjects.models.outputs import is_unclear, logits_of, whole_output
from retspec.subjects.models.registration import require_registered
from retspec.subjects.training.loss_inputs import has_no_values, held_against, suspicions_about
from retspec.subjects.training.named_loss import NamedLoss
from retspec.subjects.training.optimizers import optimization
from retspec.subjects.training.own_loss import OwnLoss
from retspec.subjects.training.own_step import OwnStep
from retspec.subjects.training.tasks.choosing import task_of
from retspec.subjects.training.tasks.classification import Classification
from retspec.subjects.training.tasks.ordinal import Ordinal
from retspec.subjects.training.tasks.task import IGNORED
from retspec.subjects.training.tasks.unlabelled import Custom
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
        self._outputs: tuple[int, ...] | None = None
        self._is_first = True
        self._own_step = None if recipe.step is None else OwnStep(recipe.step, recipe.amp)
        self._own_loss = OwnLoss(recipe.loss) if is_reference(recipe.loss) else None
        self._loss = NamedLoss(recipe, self.device)
        self._optimizer, self._scheduler = optimization(model, recipe)
        self.scales = recipe.amp == "float16"
        self._scaler = torch.amp.GradScaler(self.device.type, enabled=self.scales)

    @property
    def optimizers(self) -> Sequence[torch.optim.Optimizer]:
        """The recipe's only optimizer."""
        return [self._optimizer]

    @property
    def _has_named_loss(self) -> bool:
        return self._own_step is None and self._own_loss is None

    @property
    def chance_loss(self) -> float | None:
        """Mean loss, in nats, of logits that are all equal; None before the first loss, or where unknown.

        Cross-entropy of C classes: ln C, also with label smoothing, since smoothed targets sum to one. Class weights
        with soft or smoothed targets shift it: then it is computed on the targets of the batch. Binary cross-entropy:
        ln 2. Regression has none.
        """
        if not self._has_named_loss or self._outputs is None or self.task is None:
            return None
        return self._loss.chance(self.task, self._outputs, self.batch.targets)

    @property
    def floor_known(self) -> bool:
        """Whether the loss has a name and targets that let it fall to zero."""
        return self._has_named_loss and self._loss.falls_to_zero(self.batch.targets)

    def micro_batches(self) -> list[tuple[Tensor, Tensor]]:
        """Return (inputs, targets) of each micro-batch: `accumulation` of them, or one per image if fewer."""
        return self.batch.split(self._recipe.accumulation)

    def share(self, targets: Tensor) -> float | Tensor:
        """Return the weight of a micro-batch in the mean loss: its part of the images, or of what its targets weigh.

        targets: (images, ...). Over class numbers, torch divides by the sum of the weights of the targets that are not
        left out:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
        """
        if len(targets) == len(self.batch.targets) or not self._weighs_targets:
            return super().share(targets)
        return self._loss.weight_of(targets) / self._loss.weight_of(self.batch.targets)

    @property
    def _weighs_targets(self) -> bool:
        """Whether some class numbers count more than others: by class weights, or since some are left out."""
        targets = self.batch.targets
        if not self._has_named_loss or self._loss.name != "cross_entropy" or targets.is_floating_point():
            return False
        return self._loss.weights is not None or (not has_no_values(targets) and bool((targets == IGNORED).any()))

    def weighs_nothing(self, targets: Tensor) -> bool:
        """Whether the targets of a micro-batch weigh nothing: torch then divides 0 by 0.

        Raises SubjectError when those of the whole batch do: nothing can be learnt from it.
        """
        if not self._weighs_targets or bool(self._loss.weight_of(targets)):
            return False
        if not bool(self._loss.weight_of(self.batch.targets)):
            if self._loss.weights is None:
                raise SubjectError(
                    f"every target of the batch is {IGNORED}, which cross_entropy leaves out", path="data"
                )
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
        """Return the mean loss, a scalar, of inputs (images, ...) and targets (images, ...).

        Raises SubjectError when the loss fails on the logits and targets, or takes the first ones wrongly, the task has
        no such outputs or targets, or the class weights are too few or too many.
        """
        with autocast(self.device, self._recipe.amp):
            parts = parts_of(self.model)
            wanted = targets if parts is None else parts.wanted(targets)
            if self._own_step is not None:
                given = inputs if parts is None else parts.given(inputs)
                return self._own_step(self.model, given, wanted, self._show, self.parameters)
            if self._own_loss is None and wanted is not targets:
                raise SubjectError(
                    "several targets go with a loss or step of your own, as `train: {loss: package.module:callable}`",
                    path="data.keys",
                )
            outputs, logits = _forward(self.model, inputs)
            if logits is None and self._own_loss is not None and is_unclear(outputs):
                return self._own_loss(outputs, None, wanted, learns=bool(self.parameters))
            logits = logits_of(outputs) if logits is None else logits
            first, self._is_first = self._is_first, False
            self._show(logits.detach(), wanted)
            if first and not has_no_values(logits):
                require_registered(self.model, logits)
                self.suspicions = suspicions_about(self._recipe.loss, logits)
            is_held = first and (self._own_loss is not None or not isinstance(self.task, Ordinal))  # grades were
            seen: list[str] = []
            with held_against(self._recipe.loss, logits, targets) if is_held else nullcontext(seen) as seen:
                if self._own_loss is None:
                    loss = self._loss(self.task or Classification(), logits, targets)
                else:
                    loss = self._own_loss(outputs, logits, wanted, learns=logits.requires_grad)
            self.suspicions += tuple(seen)
            return loss

    def _show(self, logits: Tensor, targets: Any) -> None:
        """Show the logits of a micro-batch, and find out with the first what the task is.

        Several targets are no task that is known.

        Raises SubjectError when outputs or targets do not fit the task that the spec names.
        """
        from torch import Tensor

        if not isinstance(targets, Tensor):
            self.task = Custom()
            return
        self.see(logits, targets)
        if self._outputs is not None:
            return
        self._outputs = tuple(logits.shape)
        loss = self._recipe.loss if self._own_step is None else ""
        if self._has_named_loss or not has_no_values(logits, targets):
            self.task = task_of(self._recipe.task, loss, logits, targets)
        if self._recipe.task is not None and self.task is not None and not has_no_values(logits, targets):
            self.task.require(logits, targets)

    def _clip(self) -> None:
        from torch.nn.utils import clip_grad_norm_

        if self._recipe.clip_norm is not None:
            clip_grad_norm_(self.parameters, self._recipe.clip_norm)


def _forward(model: nn.Module, inputs: Tensor) -> tuple[Any, Tensor | None]:
    """Return what `whole_output` does; raises NoVerdict where images are still integers, and the model takes none."""
    try:
        return whole_output(model, inputs)
    except RuntimeError as error:
        if inputs.is_floating_point() or not re.search(r"dtype|[Tt]ype", str(error)):
            raise
        raise NoVerdict(
            f"a forward pass of inputs of {inputs.dtype} fails: {describe(error)}; let the transform make "
            "floating-point numbers of them"
        ) from error

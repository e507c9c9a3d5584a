"""The losses that `train.loss` knows by name: functions of torch, in the form that each task gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import SubjectError, describe
from retspec.subjects.training.tasks.task import IGNORED

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from retspec.records import Recipe
    from retspec.subjects.training.tasks.task import Task

PLACE = "train.loss"


class NamedLoss:
    """A loss of torch.nn.functional, with the class weights and the smoothing of a recipe.

    See https://docs.pytorch.org/docs/stable/nn.functional.html#loss-functions
    """

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        import torch

        self.name = recipe.loss
        self.weights = None if recipe.class_weights is None else torch.tensor(recipe.class_weights, device=device)
        self._smoothing = recipe.label_smoothing
        self._casts_weights = recipe.amp == "none"

    def __call__(self, task: Task, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of outputs (images, ...) and the targets of a task.

        Raises SubjectError when it fails on them, or the class weights are too few or too many.
        """
        self._require_a_weight_per_class(outputs.shape[1] if outputs.dim() > 1 else 1)
        try:
            return self.mean(outputs, task.encoded(self.name, outputs, targets))
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            given = f"{tuple(targets.shape)} ({targets.dtype}, {targets.min()} to {targets.max()})"
            raise SubjectError(
                f"{self.name} fails on logits of shape {tuple(outputs.shape)} and targets of shape {given}: "
                f"{describe(error)}{_remedy(self.name, outputs, targets)}",
                path=PLACE,
            ) from error

    def chance(self, task: Task, outputs: tuple[int, ...], targets: Tensor) -> float | None:
        """Return the mean loss of outputs of that shape that are all equal; None where it is not known.

        Class weights with soft or smoothed targets shift it: then it is computed on the targets.
        """
        known = task.chance_loss(self.name, outputs)
        if known is None or self.weights is None or not (self._smoothing or targets.is_floating_point()):
            return known
        return float(self.mean(self.weights.new_zeros((len(targets), *outputs[1:])), targets))

    def falls_to_zero(self, targets: Tensor) -> bool:
        """Whether the loss is zero where every answer is right: soft and smoothed targets leave their entropy."""
        if self.name not in {"cross_entropy", "bce_with_logits"}:
            return True
        is_soft = targets.is_floating_point() and bool(((targets > 0) & (targets < 1)).any())
        return not self._smoothing and not is_soft

    def weight_of(self, targets: Tensor) -> Tensor:
        """Return what the targets weigh in a mean: the class weights of those that are not left out."""
        counted = targets != IGNORED
        if self.weights is None:
            return counted.sum()
        return (self.weights[targets.clamp(min=0)] * counted).sum()

    def mean(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of outputs and targets in the form that torch takes."""
        from torch.nn import functional

        if self.name == "cross_entropy":
            weights = self.weights
            if weights is not None and self._casts_weights:  # under autocast, torch computes the loss in float32
                weights = weights.to(outputs.dtype)
            return functional.cross_entropy(outputs, targets, weight=weights, label_smoothing=self._smoothing)
        targets = targets.to(outputs.dtype)
        if self.name == "bce_with_logits":
            return functional.binary_cross_entropy_with_logits(outputs, targets)
        loss: Tensor = getattr(functional, f"{self.name}_loss")(outputs, targets)
        return loss

    def _require_a_weight_per_class(self, classes: int) -> None:
        if self.weights is not None and len(self.weights) != classes:
            raise SubjectError(
                f"there are {len(self.weights)} class weights, and the model has {classes} classes; give one for each",
                path="train.class_weights",
            )


def _remedy(loss: str, outputs: Tensor, targets: Tensor) -> str:
    """Return what to do about targets that cross_entropy does not take, as far as they say it."""
    if loss != "cross_entropy":
        return ""
    if targets.shape == outputs.shape and not targets.is_floating_point():
        return "; these look one-hot: give class numbers, as of `targets.argmax(1)`"
    if targets.is_floating_point() and targets.dim() < outputs.dim():
        return "; class numbers are integers: give `targets.long()`"
    return "; let the model return one row of logits per image" if outputs.dim() == 1 else ""

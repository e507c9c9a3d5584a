"""Grades in an order, such as those of diabetic retinopathy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import SubjectError
from retspec.subjects.training.tasks.task import PLACE, Right, Task, shapes, within

if TYPE_CHECKING:
    from torch import Tensor

    from retspec.subjects.training.tasks.task import Wanted


class Ordinal(Task):
    """Grades (images,) from 0, and outputs in one of three forms.

    One output is the grade itself, rounded. Several under cross_entropy are the grades as classes. Under any other loss
    they are thresholds, one fewer than grades: the grade is the number of positive ones before the first that is not,
    as in https://arxiv.org/abs/0704.1028 and https://arxiv.org/abs/1901.07884.
    """

    name = "ordinal"
    counts = "samples whose grade is right"
    needs_low_loss = False

    def __init__(self, loss: str) -> None:
        self._loss = loss

    def require(self, outputs: Tensor, targets: Tensor) -> None:
        """Raise SubjectError for targets that are no grades that the outputs can say."""
        grades = self._grades(outputs.shape[1] if outputs.dim() > 1 else 1)
        whole = targets.numel() == len(targets) and bool((targets == targets.round()).all())
        outside = bool((targets < 0).any()) or (grades is not None and bool((targets >= grades).any()))
        if outputs.dim() > 2 or not whole or outside:  # noqa: PLR2004 - images and outputs
            most = "" if grades is None else f" to {grades - 1}"
            raise SubjectError(
                f"the task ordinal has grades from 0{most} as targets, (images,), for these outputs; these are "
                f"{shapes(outputs, targets)}, {float(targets.min()):.3g} to {float(targets.max()):.3g}",
                path=PLACE,
            )

    def encoded(self, loss: str, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return a grade as the thresholds that it passes for binary cross-entropy, else as it is."""
        import torch

        if loss != "bce_with_logits":
            return super().encoded(loss, outputs, targets)
        thresholds = torch.arange(outputs.shape[1] if outputs.dim() > 1 else 1, device=targets.device)
        return (targets.reshape(-1, 1) > thresholds).reshape(outputs.shape)

    def right(self, outputs: Tensor, targets: Tensor) -> Right:
        """Return the share of samples whose grade is right, with the mean distance as a detail."""
        grades = self._answers(outputs)
        wanted = targets.flatten()
        distance = (grades - wanted).abs().float()
        return Right(float((distance == 0).float().mean()), {"grades apart on average": float(distance.mean())})

    def targets(self, wanted: Wanted, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return grades 0, 1, … in turn; raises SubjectError where the model does not say how many there are."""
        import torch

        said = self._grades(wanted.outputs[1] if len(wanted.outputs) > 1 else 1)
        within(said or wanted.classes or 0, wanted.classes)
        grades = wanted.classes or said
        if grades is None:
            raise SubjectError(
                "one output does not say how many grades there are; give `data: {synthetic: {num_classes: 5}}`",
                path="data",
            )
        return images, torch.arange(len(images)) % grades

    def _is_number(self, outputs: Tensor) -> bool:
        return outputs.dim() == 1 or (outputs.shape[1] == 1 and self._loss != "bce_with_logits")

    def _grades(self, outputs: int) -> int | None:
        """Return how many grades so many outputs say; None for a number."""
        if outputs == 1 and self._loss != "bce_with_logits":
            return None
        return outputs if self._loss == "cross_entropy" else outputs + 1

    def _answers(self, outputs: Tensor) -> Tensor:
        if self._is_number(outputs):
            return outputs.flatten().round()
        if self._loss == "cross_entropy":
            return outputs.argmax(1)
        return (outputs > 0).long().cumprod(1).sum(1)

"""One class per sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import Inconclusive, SubjectError
from retspec.subjects.training.tasks.task import IGNORED, PLACE, Right, Task, aligned, shapes, within

if TYPE_CHECKING:
    from torch import Tensor

    from retspec.subjects.training.tasks.task import Wanted


class Classification(Task):
    """Outputs (images, classes), and class numbers (images,) or probabilities (images, classes).

    With one output, positive means class 1: outputs and targets are (images, 1) or (images,).
    """

    name = "classification"
    counts = "samples whose class is right"

    def require(self, outputs: Tensor, targets: Tensor) -> None:
        """Raise SubjectError for outputs that are not one row per image."""
        if outputs.dim() > 2 or targets.dim() > 2:  # noqa: PLR2004 - images and classes
            raise SubjectError(
                f"the task classification has outputs (images, classes); these are {shapes(outputs, targets)}; is it "
                "segmentation?",
                path=PLACE,
            )

    def encoded(self, loss: str, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return class numbers as one-hot rows, or as the one output, for binary cross-entropy."""
        from torch.nn import functional

        if loss != "bce_with_logits":
            return super().encoded(loss, outputs, targets)
        if _has_one_output(outputs):
            return aligned(loss, outputs, targets)
        is_number = targets.dim() == 1 and not targets.is_floating_point()
        return functional.one_hot(targets, outputs.shape[1]) if is_number else targets

    def right(self, outputs: Tensor, targets: Tensor) -> Right:
        """Return the share of samples whose largest output is their class, or whose one output has its sign."""
        if _has_one_output(outputs):
            answers, classes = outputs.flatten() > 0, targets.flatten() > 0.5  # noqa: PLR2004 - of labels 0 and 1
        else:
            is_number = not targets.is_floating_point() and targets.numel() == len(targets)
            answers, classes = outputs.argmax(1), targets.flatten() if is_number else targets.argmax(1)
        counted = classes != IGNORED
        if not bool(counted.any()):
            raise Inconclusive(f"every target is {IGNORED}, which a loss leaves out")
        return Right(float((answers == classes)[counted].float().mean()))

    def targets(self, wanted: Wanted, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return class numbers 0, 1, … in turn; as many as the model has outputs, two for one output."""
        import torch

        outputs = wanted.outputs[1] if len(wanted.outputs) > 1 else 1
        binary = outputs == 1 and wanted.loss != "cross_entropy"
        within(2 if binary else outputs, wanted.classes)
        return images, torch.arange(len(images)) % (wanted.classes or (2 if binary else outputs))


def _has_one_output(outputs: Tensor) -> bool:
    return outputs.dim() == 1 or outputs.shape[1] == 1

"""Several labels per sample, each present or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import SubjectError
from retspec.subjects.training.tasks.task import PLACE, Right, Task, aligned, shapes

if TYPE_CHECKING:
    from torch import Tensor

    from retspec.subjects.training.tasks.task import Wanted


class Multilabel(Task):
    """Outputs (images, labels), and for each a target from 0 to 1; a label is found if its output is positive."""

    name = "multilabel"
    counts = "samples with every label right"

    def require(self, outputs: Tensor, targets: Tensor) -> None:
        """Raise SubjectError for targets that are not one from 0 to 1 for each label."""
        if outputs.dim() != 2 or targets.shape != outputs.shape:  # noqa: PLR2004 - images and labels
            raise SubjectError(
                f"the task multilabel has outputs (images, labels) and targets of that shape, 1 for each label that "
                f"is there and 0 for the others; these are {shapes(outputs, targets)}",
                path=PLACE,
            )

    def encoded(self, loss: str, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return targets of the shape of the outputs."""
        return aligned(loss, outputs, targets)

    def right(self, outputs: Tensor, targets: Tensor) -> Right:
        """Return the share of samples of which each label is right."""
        labels = (outputs > 0) == (aligned("multilabel", outputs, targets) > 0.5)  # noqa: PLR2004 - of 0 and 1
        each = labels.flatten(1)
        return Right(float(each.all(1).float().mean()), {"labels right": float(each.float().mean())})

    def targets(self, wanted: Wanted, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return labels that are present with probability one half, drawn after the images."""
        import torch

        labels = wanted.classes or wanted.outputs[1]
        return images, (torch.rand(len(images), labels, generator=wanted.generator) < 0.5).float()  # noqa: PLR2004

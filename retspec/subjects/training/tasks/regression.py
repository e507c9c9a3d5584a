"""Numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import Inconclusive
from retspec.subjects.training.tasks.task import Right, Task, aligned, nearest

if TYPE_CHECKING:
    from torch import Tensor

    from retspec.subjects.training.tasks.task import Wanted

TOLERANCE = 0.1
"""Error of a sample that counts as right, as a part of the targets' standard deviation: an R² of 0.99."""

SHOWN = 8
"""Outputs whose R² is shown."""


class Regression(Task):
    """Outputs (images, ...), and a number for each.

    A sample is right if the root of its mean squared error, each output in units of the standard deviation of its
    targets over the batch, is at most 0.1. The loss has the scale of the targets, so that no fixed one is low.
    """

    name = "regression"
    counts = "samples within a tenth of the targets' standard deviation"
    needs_low_loss = False

    def require(self, outputs: Tensor, targets: Tensor) -> None:
        """Raise SubjectError for targets that are not one number for each output."""
        aligned("the task regression", outputs, targets)

    def encoded(self, loss: str, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return targets of the shape of the outputs."""
        return aligned(loss, outputs, targets)

    def chance_loss(self, loss: str, outputs: tuple[int, ...]) -> None:
        """Return None: what a fresh model answers is no guess at a number."""

    def right(self, outputs: Tensor, targets: Tensor) -> Right:
        """Return the share of samples that are right, with the R² of each output as a detail, the lowest first.

        Raises Inconclusive where all targets are equal.
        """
        wanted = aligned("the task regression", outputs, targets).reshape(len(targets), -1).double()
        errors = (outputs.reshape(len(targets), -1).double() - wanted).square()
        each = wanted.var(0, correction=0)
        if not bool(each.any()):
            raise Inconclusive("all targets are equal, so that a constant is right for all of them")
        variances = each.where(each > 0, each.mean())
        share = (errors / variances).mean(1).sqrt() <= TOLERANCE
        explained = (1 - errors.mean(0) / variances).sort().values.tolist()
        return Right(float(share.float().mean()), {"R²": explained[:SHOWN]})

    def targets(self, wanted: Wanted, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return standard normal numbers in the shape of the outputs: drawn after the images, or for a pixel its own.

        No model can learn a number by heart for each of many pixels; it can say what is in its image.
        """
        import torch

        if len(wanted.outputs) > 2 and images.dim() == len(wanted.outputs):  # noqa: PLR2004 - behind images and outputs
            seen = nearest(images, wanted.outputs[2:])
            return images, seen[:, torch.arange(wanted.outputs[1]) % images.shape[1]]
        return images, torch.randn((len(images), *wanted.outputs[1:]), generator=wanted.generator)

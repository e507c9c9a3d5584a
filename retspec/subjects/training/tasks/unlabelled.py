"""Tasks that say nothing about right answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.subjects.training.tasks.task import Task

if TYPE_CHECKING:
    from torch import Tensor

    from retspec.subjects.training.tasks.task import Wanted


class SelfSupervised(Task):
    """The inputs are the targets, as for an autoencoder; a loss or step of the user's own may make others of them."""

    name = "self_supervised"

    def chance_loss(self, loss: str, outputs: tuple[int, ...]) -> None:
        """Return None: nothing is guessed."""

    def targets(self, wanted: Wanted, images: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - the images say all
        """Return the images twice."""
        return images, images.clone()


class Custom(Task):
    """Anything else: the loss, or the step, is the user's own, and nothing is assumed about outputs and targets."""

    name = "custom"

    def chance_loss(self, loss: str, outputs: tuple[int, ...]) -> None:
        """Return None: nothing is guessed."""

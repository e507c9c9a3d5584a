"""`Task`, the base class of all tasks."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, field
from math import log
from typing import TYPE_CHECKING, Any, ClassVar

from retspec.errors import SubjectError
from retspec.records import REGRESSION_LOSSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

PLACE = "train.task"
IGNORED = -100
"""The class number that torch's cross-entropy leaves out by default."""
TOLERANCE = 1e-2
"""How far the probabilities of a sample may sum from one: soft targets in half precision are rounded."""
LEARNT = 0.01
"""Mean loss at which the samples count as learnt."""


@dataclass(frozen=True)
class Right:
    """How much of a batch is right."""

    share: float
    """From 0 to 1."""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The targets that a synthetic batch needs."""

    loss: str
    """As `train.loss` names it."""
    outputs: tuple[int, ...]
    """Shape of what the model returns, (images, ...)."""
    classes: int | None
    """Number of labels that the spec gives, or None."""
    generator: Generator


class Task(ABC):
    """What the outputs and targets of a model mean.

    An output is (images, ...), raw: before a softmax or sigmoid. Targets are those of the same images.
    """

    name: ClassVar[str]
    counts: ClassVar[str] = ""
    """What the share of right answers is a share of, in words; empty where nothing says what is right."""
    least: ClassVar[float] = 1.0
    """Share of right answers from which the samples are learnt by heart."""
    needs_low_loss: ClassVar[bool] = True
    """Whether the loss, too, must be low before they are: its scale is known."""

    def require(self, outputs: Tensor, targets: Tensor) -> None:  # noqa: B027 - any will do by default
        """Raise SubjectError for outputs or targets of shapes or values that this task cannot have."""

    def encoded(self, loss: str, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return targets in the form that a loss by name takes; raises SubjectError where there is none."""
        return aligned(loss, outputs, targets) if loss in REGRESSION_LOSSES else targets

    def chance_loss(self, loss: str, outputs: tuple[int, ...]) -> float | None:
        """Return the mean loss, in nats, of outputs (images, classes, ...) that are all equal; None where unknown.

        Cross-entropy over C classes: ln C. The classes are dimension 1, whatever comes behind it:
        https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html. Binary cross-entropy: ln 2.
        """
        if loss == "bce_with_logits":
            return log(2)
        classes = outputs[1] if len(outputs) > 1 else outputs[0]
        return log(classes) if loss == "cross_entropy" and classes > 1 else None

    def right(self, outputs: Tensor, targets: Tensor) -> Right | None:  # noqa: ARG002 - nothing is known by default
        """Return how much of a batch is right; None where nothing says what is.

        Raises Inconclusive for targets of which all or none is right whatever the model returns.
        """
        return None

    def is_learnt(self, right: Right, loss: float) -> bool:
        """Whether a batch is learnt by heart."""
        return right.share >= self.least and (loss <= LEARNT or not self.needs_low_loss)

    def targets(self, wanted: Wanted, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return images and targets of a synthetic batch that can be learnt by heart; by default class numbers."""
        import torch

        classes = wanted.classes or (wanted.outputs[1] if len(wanted.outputs) > 1 else 1)
        return images, torch.arange(len(images)) % max(classes, 2)  # one output distinguishes two classes


def aligned(loss: str, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return targets in the shape of the outputs, where they differ in a dimension of one element alone.

    A loss of torch would broadcast (N, 1) and (N,) to (N, N). Raises SubjectError for any other difference.
    """
    if targets.shape == outputs.shape:
        return targets
    squeezed = [size for size in outputs.shape[1:] if size != 1]
    if len(outputs) == len(targets) and squeezed == [size for size in targets.shape[1:] if size != 1]:
        return targets.reshape(outputs.shape)
    raise SubjectError(
        f"{loss} needs a target for each output: the outputs have shape {tuple(outputs.shape)}, the targets "
        f"{tuple(targets.shape)}",
        path="train.loss",
    )


def within(outputs: int, classes: int | None) -> None:
    """Raise SubjectError for a synthetic batch of more classes than a model can say."""
    if classes is not None and classes > outputs:
        raise SubjectError(
            f"the batch has {classes} classes, and the outputs of the model say {outputs}",
            path="data.synthetic.num_classes",
        )


def nearest(grid: Tensor, places: tuple[int, ...]) -> Tensor:
    """Return a grid (..., height, width) in another size of its last dimensions, each place as the nearest before."""
    import torch

    for dimension, size in enumerate(places, start=grid.dim() - len(places)):
        grid = grid.index_select(dimension, torch.arange(size) * grid.shape[dimension] // size)
    return grid


def shapes(outputs: Tensor, targets: Tensor) -> str:
    """Return both shapes in words."""
    kind = str(targets.dtype).removeprefix("torch.")
    return f"outputs of shape {tuple(outputs.shape)} and targets of shape {tuple(targets.shape)}, {kind}"

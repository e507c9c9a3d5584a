"""A class for each pixel or voxel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import Inconclusive, SubjectError
from retspec.subjects.training.tasks.task import (
    IGNORED,
    PLACE,
    TOLERANCE,
    Right,
    Task,
    aligned,
    nearest,
    shapes,
    within,
)

if TYPE_CHECKING:
    from torch import Tensor

    from retspec.subjects.training.tasks.task import Wanted

PIXELS = 3
"""Dimensions from which outputs have places: images, classes, and at least one more."""
GRID = 4
"""Cells on each side of a synthetic mask."""


class Segmentation(Task):
    """Outputs (images, classes, ...), and masks: class numbers (images, ...), or a mask from 0 to 1 for each output.

    What is right is the Dice coefficient, 2 |A ∩ B| / (|A| + |B|), of a class over the whole batch: of those that the
    targets have, the lowest counts. Under one output per mask, positive means that a pixel is in it; where masks share
    out each pixel among several outputs, and the loss is not binary, the largest output is the class.
    """

    name = "segmentation"
    counts = "lowest Dice of a class"
    least = 0.99
    needs_low_loss = False

    def __init__(self, loss: str) -> None:
        self._loss = loss

    def require(self, outputs: Tensor, targets: Tensor) -> None:
        """Raise SubjectError for masks that do not fit the outputs."""
        if outputs.dim() < PIXELS or not (_is_numbered(outputs, targets) or _has_masks(outputs, targets)):
            raise SubjectError(
                "the task segmentation has outputs (images, classes, height, width) and targets (images, height, "
                f"width); these are {shapes(outputs, targets)}",
                path=PLACE,
            )

    def encoded(self, loss: str, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return a mask for each output, for binary cross-entropy."""
        return aligned(loss, outputs, targets) if loss == "bce_with_logits" else targets

    def right(self, outputs: Tensor, targets: Tensor) -> Right:
        """Return the lowest Dice of a class, with all of them as details; raises Inconclusive for empty masks."""
        if _is_numbered(outputs, targets):
            dice = _of_classes(outputs.argmax(1), targets)
        elif self._loss != "bce_with_logits" and _share_out(outputs, targets):
            dice = _of_classes(outputs.argmax(1), targets.argmax(1))
        elif _has_masks(outputs, targets):
            dice = _of_masks(outputs > 0, targets.reshape(outputs.shape) > 0.5)  # noqa: PLR2004 - of 0 and 1
        else:
            raise Inconclusive(f"masks of another shape cannot be compared: {shapes(outputs, targets)}")
        if not dice:
            raise Inconclusive("no mask of the batch has a pixel of any class")
        return Right(min(dice.values()), {"Dice": {f"class {each}": value for each, value in dice.items()}})

    def targets(self, wanted: Wanted, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return images that show their masks, and the masks; noise says nothing that a convolution could learn.

        A mask is a grid of 4 cells on each side, each of one class, drawn after the images; its cells are brighter the
        higher their class, with an eighth of that step as noise. Raises SubjectError for outputs without places.
        """
        import torch
        from torch.nn import functional

        if len(wanted.outputs) < PIXELS:
            raise SubjectError(
                f"the task segmentation needs a model with an output for each pixel, and this one gives "
                f"{wanted.outputs}",
                path=PLACE,
            )
        channels, places = wanted.outputs[1], wanted.outputs[2:]
        within(max(channels, 2), wanted.classes)
        classes = max(wanted.classes or channels, 2)  # one output distinguishes two classes
        cells = torch.randint(classes, (len(images), *([GRID] * len(places))), generator=wanted.generator)
        mask = nearest(cells, places)
        if images.dim() == len(places) + 2:
            step = 3 / (classes - 1)
            images = images * (step / 8) + nearest(cells, tuple(images.shape[2:]))[:, None] * step - 1.5
        if wanted.loss == "bce_with_logits":
            drawn = mask[:, None] if channels == 1 else functional.one_hot(mask, channels).movedim(-1, 1)
            return images, drawn.float()
        return images, mask


def _is_numbered(outputs: Tensor, targets: Tensor) -> bool:
    """Whether the targets are class numbers of several outputs."""
    return outputs.shape[1] > 1 and targets.shape == (len(outputs), *outputs.shape[2:])


def _has_masks(outputs: Tensor, targets: Tensor) -> bool:
    """Whether there is a mask for each output."""
    one = (len(outputs), *outputs.shape[2:])
    return targets.shape == outputs.shape or (outputs.shape[1] == 1 and tuple(targets.shape) == one)


def _share_out(outputs: Tensor, targets: Tensor) -> bool:
    """Whether the masks of several outputs sum to one in each pixel, as probabilities of classes do."""
    is_shaped = targets.shape == outputs.shape and outputs.shape[1] > 1
    return is_shaped and bool(((targets.float().sum(1) - 1).abs() < TOLERANCE).all())


def _of_classes(answers: Tensor, targets: Tensor) -> dict[int, float]:
    """Return the Dice of each class that the targets have; what a loss leaves out is left out."""
    counted = targets != IGNORED
    answers, targets = answers[counted], targets[counted]
    return {number: _dice(answers == number, targets == number) for number in sorted({*targets.tolist()})}


def _of_masks(answers: Tensor, targets: Tensor) -> dict[int, float]:
    """Return the Dice of each mask, (images, masks, ...), that has a pixel."""
    pairs = zip(answers.transpose(0, 1), targets.transpose(0, 1), strict=True)
    return {number: _dice(answer, mask) for number, (answer, mask) in enumerate(pairs) if bool(mask.any())}


def _dice(answer: Tensor, mask: Tensor) -> float:
    both = int((answer & mask).sum())
    return 2 * both / (int(answer.sum()) + int(mask.sum()))

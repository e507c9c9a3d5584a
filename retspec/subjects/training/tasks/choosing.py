"""The task that a spec names, or the one that a batch shows where that is certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.records import REGRESSION_LOSSES
from retspec.subjects.training.tasks.classification import Classification
from retspec.subjects.training.tasks.multilabel import Multilabel
from retspec.subjects.training.tasks.ordinal import Ordinal
from retspec.subjects.training.tasks.regression import Regression
from retspec.subjects.training.tasks.segmentation import PIXELS, Segmentation
from retspec.subjects.training.tasks.task import IGNORED, TOLERANCE
from retspec.subjects.training.tasks.unlabelled import Custom, SelfSupervised

if TYPE_CHECKING:
    from torch import Tensor

    from retspec.subjects.training.tasks.task import Task


def named_task(name: str, loss: str) -> Task:
    """Return the task of that name under a loss, as `train` says them."""
    if name in {Ordinal.name, Segmentation.name}:
        return Ordinal(loss) if name == Ordinal.name else Segmentation(loss)
    kinds: tuple[type[Task], ...] = (Classification, Multilabel, Regression, SelfSupervised, Custom)
    return next(kind for kind in kinds if kind.name == name)()


def task_before(name: str | None, loss: str, outputs: tuple[int, ...]) -> Task:
    """Return the task for which a synthetic batch is made: as named, or as the loss and the shape of the output say."""
    if name is not None:
        return named_task(name, loss)
    if loss in REGRESSION_LOSSES:
        return Regression()
    is_named = loss in {"cross_entropy", "bce_with_logits"}
    return Segmentation(loss) if is_named and len(outputs) >= PIXELS else Classification()


def task_of(name: str | None, loss: str, outputs: Tensor, targets: Tensor) -> Task | None:
    """Return the task that is named, or the one that outputs and targets of a batch show; None where that is unclear.

    loss: as `train.loss` names it. A loss by name says most of it; under one of the user's own, the values of the
    targets do.
    """
    if name is not None:
        return named_task(name, loss)
    if loss in REGRESSION_LOSSES:
        return Regression()
    if loss == "cross_entropy":
        return Segmentation(loss) if outputs.dim() >= PIXELS else Classification()
    if loss == "bce_with_logits":
        several = targets.dim() > 1 and targets.shape[1] > 1
        return Segmentation(loss) if outputs.dim() >= PIXELS else Multilabel() if several else Classification()
    return _by_values(outputs, targets) if outputs.dim() > 1 else None


def _by_values(outputs: Tensor, targets: Tensor) -> Task | None:
    if targets.is_floating_point():
        return _by_numbers(outputs, targets)
    places = tuple(outputs.shape[2:])
    if outputs.dim() >= PIXELS:
        fits = targets.shape == outputs.shape or tuple(targets.shape[1:]) == places
        return Segmentation("") if fits else None
    if targets.shape == outputs.shape and outputs.shape[1] > 1:
        return Multilabel() if _is_binary(targets) else None
    known = targets[targets != IGNORED]
    is_number = targets.dim() == 1 and outputs.shape[1] > 1
    return Classification() if is_number and bool(((known >= 0) & (known < outputs.shape[1])).all()) else None


def _by_numbers(outputs: Tensor, targets: Tensor) -> Task | None:
    """Return the task of targets that are floating-point numbers."""
    if bool((targets < 0).any()) or bool((targets > 1).any()):
        return Regression() if targets.numel() == outputs.numel() else None
    if targets.shape != outputs.shape or outputs.shape[1] < 2:  # noqa: PLR2004 - a number, or two classes
        return None
    if outputs.dim() >= PIXELS:
        return Segmentation("") if _is_binary(targets) else None
    if bool(((targets.float().sum(1) - 1).abs() < TOLERANCE).all()):
        return Classification()
    return Multilabel() if _is_binary(targets) else None


def _is_binary(targets: Tensor) -> bool:
    return bool(((targets == 0) | (targets == 1)).all())

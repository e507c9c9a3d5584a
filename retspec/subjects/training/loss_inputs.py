"""Hold the first logits and targets of a training against its loss: a loss that takes them wrongly still falls."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from retspec.errors import SubjectError
from retspec.records import REGRESSION_LOSSES
from retspec.subjects.models.graphs import last_operation
from retspec.subjects.training.loss_watch import watched
from retspec.subjects.training.tasks.task import IGNORED, TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

PLACE = "train.loss"
BOUNDED = {
    "Sigmoid": "the model returns probabilities: its last operation is a sigmoid, and {loss} applies its own {own}",
    "Tanh": "the last operation of the model is a tanh: it keeps every logit between -1 and 1, and {loss} takes any",
}
"""What is wrong about logits by the operation that made them.

https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
"""


@contextmanager
def held_against(loss: str, logits: Tensor, targets: Tensor) -> Iterator[list[str]]:
    """Compute a loss inside this context, to refuse logits and targets that it takes but that do not belong together.

    Yields a list that holds at the end what looks wrong about the logits that a loss of your own gives to one of torch.

    loss: as `train.loss` names it. logits: (images, classes, ...). targets: (images, ...) or of the logits' shape.

    Raises SubjectError: for cross_entropy, class numbers without a logit, and probabilities that do not sum to one; for
    bce_with_logits, targets outside 0 to 1, and class numbers without a logit; for a loss of your own, one that
    broadcasts (N, 1) and (N,) to (N, N).
    """
    seen: list[str] = []
    if has_no_values(logits, targets):
        yield seen
    elif loss == "cross_entropy":
        _require_classes(logits, targets)
        yield seen
    elif loss == "bce_with_logits":
        _require_shares(logits, targets)
        yield seen
    elif loss in REGRESSION_LOSSES:
        yield seen
    else:
        watch = watched(targets)
        with watch:
            yield seen
        if watch.found:
            raise SubjectError(f"{loss} broadcasts {watch.found}", path=PLACE)
        seen += [words for name, given in watch.taken for words in suspicions_about(name, given)]


def suspicions_about(loss: str, logits: Tensor) -> tuple[str, ...]:
    """Return what looks wrong about the first logits, (images, classes), of a loss that takes raw ones, in words.

    Only what chance does not do counts: probabilities of at least two classes, zeros among values that are never below,
    or a sigmoid or tanh as the operation that made them. Logits without a gradient train nothing.
    """
    import torch

    if torch.is_grad_enabled() and not logits.requires_grad and not has_no_values(logits):
        return ("the logits require no gradient: they are detached, or computed under `torch.no_grad`",)
    if loss not in {"cross_entropy", "bce_with_logits"} or has_no_values(logits) or logits.dim() < 2:  # noqa: PLR2004 - no classes
        return ()
    own, last = {"cross_entropy": "softmax", "bce_with_logits": "sigmoid"}[loss], last_operation(logits)
    values = logits.detach().float()
    sums_to_one = bool((values >= 0).all()) and bool(((values.sum(1) - 1).abs() < TOLERANCE).all())
    if values.shape[1] > 1 and sums_to_one:
        return (f"the model returns probabilities: each row of its logits sums to 1, and {loss} applies its own {own}",)
    if last in BOUNDED:
        return (BOUNDED[last].format(loss=loss, own=own),)
    if values.shape[1] > 1 and not bool((values < 0).any()) and bool((values == 0).any()) and bool(values.any()):
        return ("no logit is below zero, and some are exactly zero: a ReLU after the head stops their gradients",)
    return ()


def has_no_values(*tensors: Tensor) -> bool:
    """Whether a tensor is on the meta device or a fake one: a dry run knows shapes alone."""
    return any(tensor.is_meta or type(tensor).__name__ == "FakeTensor" for tensor in tensors)


def _require_classes(logits: Tensor, targets: Tensor) -> None:
    """Hold targets against https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html."""
    if not targets.is_floating_point():
        classes = logits.shape[1] if logits.dim() > 1 else len(logits)
        outside = ((targets < 0) & (targets != IGNORED)) | (targets >= classes)
        if targets.shape != logits.shape and bool(outside.any()):
            raise SubjectError(
                f"cross_entropy over {classes} classes takes the class numbers 0 to {classes - 1}, or {IGNORED} for "
                f"none; the targets of shape {tuple(targets.shape)} go from {targets.min()} to {targets.max()}",
                path=PLACE,
            )
    elif targets.shape == logits.shape:
        sums = targets.float().sum(1 if targets.dim() > 1 else 0)
        if bool(targets.min() < 0) or bool(((sums - 1).abs() > TOLERANCE).any()):
            raise SubjectError(
                "cross_entropy takes floating-point targets as probabilities, and those of a sample sum to "
                f"{float(sums.min()):.3g} up to {float(sums.max()):.3g}, not to 1; several labels per sample need "
                "bce_with_logits",
                path=PLACE,
            )


def _require_shares(logits: Tensor, targets: Tensor) -> None:
    """Hold targets against https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html."""
    outputs = logits.shape[1] if logits.dim() > 1 else 1
    is_number = targets.dim() == 1 and not targets.is_floating_point() and outputs > 1
    most = outputs - 1 if is_number else 1
    if bool(targets.min() < 0) or bool(targets.max() > most):
        kind = f"class numbers from 0 to {most}" if is_number else "targets from 0 to 1"
        raise SubjectError(
            f"bce_with_logits over {outputs} output{'s' * (outputs > 1)} takes {kind}; these go from "
            f"{float(targets.min()):.3g} to {float(targets.max()):.3g}",
            path=PLACE,
        )

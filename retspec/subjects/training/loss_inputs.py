"""Hold the first logits and targets of a training against its loss: a loss that takes them wrongly still falls."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError
from retspec.records import REGRESSION_LOSSES
from retspec.subjects.training.tasks.choosing import TOLERANCE
from retspec.subjects.training.tasks.task import IGNORED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

PLACE = "train.loss"


@contextmanager
def held_against(loss: str, logits: Tensor, targets: Tensor) -> Iterator[None]:
    """Compute a loss inside this context, to refuse logits and targets that it takes but that do not belong together.

    loss: as `train.loss` names it. logits: (images, classes, ...). targets: (images, ...) or of the logits' shape.

    Raises SubjectError: for cross_entropy, class numbers without a logit, and probabilities that do not sum to one; for
    bce_with_logits, targets outside 0 to 1, and class numbers without a logit; for a loss of your own, one that
    broadcasts (N, 1) and (N,) to (N, N).
    """
    if has_no_values(logits, targets):
        yield
    elif loss == "cross_entropy":
        _require_classes(logits, targets)
        yield
    elif loss == "bce_with_logits":
        _require_shares(logits, targets)
        yield
    elif loss in REGRESSION_LOSSES:
        yield
    else:
        watch = _broadcasts(targets)
        with watch:
            yield
        if watch.found:
            raise SubjectError(f"{loss} broadcasts {watch.found}", path=PLACE)


def suspicions_about(loss: str, logits: Tensor) -> tuple[str, ...]:
    """Return what looks wrong about the first logits, (images, classes), of a loss that takes raw ones, in words.

    Only what chance does not do counts: probabilities of at least two classes, or zeros among values that are never
    below. Logits without a gradient train nothing.
    """
    import torch

    if torch.is_grad_enabled() and not logits.requires_grad and not has_no_values(logits):
        return ("the logits require no gradient: they are detached, or computed under `torch.no_grad`",)
    if loss not in {"cross_entropy", "bce_with_logits"} or has_no_values(logits) or logits.dim() < 2:  # noqa: PLR2004 - no classes
        return ()
    values = logits.detach().float()
    if bool((values < 0).any()) or values.shape[1] < 2:  # noqa: PLR2004 - no choice
        return ()
    if bool(((values.sum(1) - 1).abs() < TOLERANCE).all()):
        return (
            f"the model returns probabilities: each row of its logits sums to 1, and {loss} applies its own softmax",
        )
    if bool((values == 0).any()) and bool(values.any()):
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


def _broadcasts(targets: Tensor) -> Any:
    """Return a mode of torch in which a loss shows whether it holds every output against every target."""
    from torch import Tensor
    from torch.nn import functional
    from torch.overrides import TorchFunctionMode

    pairwise = {
        *(functional.mse_loss, functional.l1_loss, functional.smooth_l1_loss, functional.huber_loss),
        *(functional.poisson_nll_loss, functional.kl_div),
    }

    class Watch(TorchFunctionMode):
        found = ""

        def __torch_function__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
            given = [value for value in (*args, *(kwargs or {}).values()) if isinstance(value, Tensor)][:2]
            result = function(*args, **(kwargs or {}))
            if len(given) == 2 and not self.found and self._mixes(function, given[0], given[1], result):  # noqa: PLR2004 - a pair
                first, second = (tuple(tensor.shape) for tensor in given)
                self.found = (
                    f"tensors of shape {first} and {second} to {_shape_of(*given)}, so that every output is held "
                    "against every target; give both one shape, such as `logits.squeeze(1)`"
                )
            return result

        def _mixes(self, function: Any, first: Tensor, second: Tensor, result: Any) -> bool:
            """Whether outputs and targets of different shapes met, in a loss of torch or element by element."""
            if first.shape == second.shape:
                return False
            if function in pairwise:
                return True
            fixed = second if first.requires_grad else first
            grows = isinstance(result, Tensor) and result.numel() > max(first.numel(), second.numel())
            is_broadcast = grows and first.dim() != second.dim() and tuple(result.shape) == _shape_of(first, second)
            return is_broadcast and first.requires_grad != second.requires_grad and fixed.shape == targets.shape

    return Watch()


def _shape_of(first: Tensor, second: Tensor) -> tuple[int, ...] | None:
    """Return the shape that two tensors broadcast to, or None."""
    import torch

    try:
        return tuple(torch.broadcast_shapes(first.shape, second.shape))  # type: ignore[no-untyped-call]
    except RuntimeError:
        return None

"""Starting what a function of the user's made for training: a Trainer of a library, or the parts of a plain loop."""

from __future__ import annotations

from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.optim import Optimizer

from retspec.errors import SubjectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torch import Tensor

PATH = "train.trainer"


def start_training(made: Any) -> None:
    """Train with a transformers Trainer, Lightning's (Trainer, module, data) or (model, optimizer, loader, loss).

    Raises SubjectError for anything else.
    """
    if isinstance(made, (tuple, list)) and made:
        _start_parts(made)
    elif callable(getattr(made, "train", None)) and not isinstance(made, nn.Module):
        made.train()
    else:
        raise _unknown(made)


def _start_parts(parts: Sequence[Any]) -> None:
    first = parts[0]
    if callable(getattr(first, "fit", None)):
        first.fit(*parts[1:])
    elif len(parts) == 4 and isinstance(first, nn.Module) and isinstance(parts[1], Optimizer):  # noqa: PLR2004 - as named above
        _loop(*parts)
    else:
        raise _unknown(parts)


def _loop(
    model: nn.Module,
    optimizer: Optimizer,
    loader: Iterable[Any],
    loss: Callable[[Tensor, Tensor], Tensor],
) -> None:
    """Take a step per batch (inputs, targets), pass after pass through the loader, until the watch ends it."""
    device = next(model.parameters()).device
    model.train()
    for inputs, targets in chain.from_iterable(repeat(loader)):
        optimizer.zero_grad()
        loss(model(inputs.to(device)), targets.to(device)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def _unknown(made: Any) -> SubjectError:
    kinds = [type(each).__name__ for each in made] if isinstance(made, (tuple, list)) else type(made).__name__
    return SubjectError(
        f"it returned {kinds}; return a transformers Trainer, (Trainer, LightningModule, data), or (model, optimizer, "
        "loader, loss)",
        path=PATH,
    )

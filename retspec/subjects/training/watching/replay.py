"""A trainer that trains as a watched training did: its criterion, its optimizer, its precision, on one fixed batch."""

from __future__ import annotations

import inspect
from contextlib import nullcontext
from math import log
from typing import TYPE_CHECKING, Any

from retspec.errors import NoVerdict, SubjectError, describe
from retspec.subjects.models.outputs import logits_of
from retspec.subjects.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from torch import Tensor, nn
    from torch.optim import Optimizer

    from retspec.records import Recipe
    from retspec.subjects.data.batch import Batch
    from retspec.subjects.training.watching.watched import WatchedRun


class Replay(Trainer):
    """Takes steps with what was seen. What else the user's loop does, such as mixing images, is not repeated."""

    def __init__(self, model: nn.Module, batch: Batch, recipe: Recipe, run: WatchedRun) -> None:
        super().__init__(model, batch)
        if run.watch.criteria.call is None:
            raise NoVerdict(
                "this computes the loss again, and the training called no single criterion of logits and targets that "
                "is known"
            )
        self._criterion = run.watch.criteria.call
        self._recipe = recipe
        self._classes = run.loop.criterion.classes if run.loop.criterion else None
        self._optimizer = _same_optimizer(model, recipe, run)

    @property
    def optimizers(self) -> Sequence[Optimizer]:
        """An optimizer of the same class with the same groups, without what it has kept so far."""
        return [self._optimizer]

    @property
    def chance_loss(self) -> float | None:
        """Loss of logits that are all the same, ln C over C classes; None for a criterion without classes."""
        return log(self._classes) if self._classes and self._classes > 1 else None

    def micro_batches(self) -> list[tuple[Tensor, Tensor]]:
        """Return the batch in as many parts as the training accumulated, none empty."""
        parts = min(self._recipe.accumulation, len(self.batch.inputs))
        return list(zip(self.batch.inputs.tensor_split(parts), self.batch.targets.tensor_split(parts), strict=True))

    def compute_loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of inputs (images, ...) and their targets, a scalar.

        Raises SubjectError when the criterion refuses the model's logits: the training gave it something else.
        """
        with self._autocast():
            logits = logits_of(self.model(inputs))
            self.see(logits.detach(), targets)
            try:
                return self._criterion(logits, targets)
            except (RuntimeError, ValueError, IndexError, TypeError) as error:
                raise SubjectError(
                    f"the training's criterion does not take what its model returns, {tuple(logits.shape)}: "
                    f"{describe(error)}",
                    path="train",
                ) from error

    def _autocast(self) -> AbstractContextManager[object]:
        import torch

        if self._recipe.amp == "none":
            return nullcontext()
        return torch.autocast(self.device.type, getattr(torch, self._recipe.amp))


def _same_optimizer(model: nn.Module, recipe: Recipe, run: WatchedRun) -> Optimizer:
    """Return a new optimizer of the class that was seen, over the same names in `model`.

    Raises NoVerdict for a class that cannot be made from its groups.
    """
    main = run.watch.main
    if main is None:
        raise NoVerdict("this needs an optimizer, and the training took no step")
    kind: Callable[..., Optimizer] = type(main.optimizer)
    keys = frozenset(inspect.signature(kind).parameters) - {"params"}
    here = dict(model.named_parameters())
    names = run.names
    groups: list[dict[str, Any]] = []
    for group in main.optimizer.param_groups:
        parameters = [here[names[id(p)]] for p in group["params"] if names.get(id(p)) in here]
        options = {name: value for name, value in group.items() if name in keys}
        if parameters:
            groups.append({**options, "params": parameters, "lr": recipe.lr})
    try:
        return kind(groups)
    except Exception as error:
        raise NoVerdict(
            f"a second {type(main.optimizer).__name__} cannot be made from its groups: {describe(error)}"
        ) from error

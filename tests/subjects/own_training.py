"""A second kind of training in one file, as a plugin: plain gradient descent on a squared error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from retspec.plugin import Source, hookimpl, training_source
from retspec.toolkit import Trainer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from retspec.subjects.data.batch import Batch


class Brier(Trainer):
    def __init__(self, model: nn.Module, batch: Batch, lr: float, parts: int = 1) -> None:
        super().__init__(model, batch)
        self._optimizer = torch.optim.SGD(self.parameters, lr=lr)
        self._parts = parts

    @property
    def optimizers(self) -> Sequence[torch.optim.Optimizer]:
        return [self._optimizer]

    def micro_batches(self) -> list[tuple[Tensor, Tensor]]:
        inputs, targets = (part.tensor_split(self._parts) for part in (self.batch.inputs, self.batch.targets))
        return list(zip(inputs, targets, strict=True))

    def compute_loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        logits = self.model(inputs)
        self.see(logits.detach(), targets)
        return functional.mse_loss(logits.softmax(-1), functional.one_hot(targets, logits.shape[-1]).float())


@training_source
def brier(rate: float, model: nn.Module, batch: Batch) -> Trainer:
    """Gradient descent at a rate of its own, the batch in one part."""
    return Brier(model, batch, rate)


@training_source
def divided_brier(
    value: dict[str, int], model: nn.Module, batch: Batch, *, lr: float, accumulation: int = 1
) -> Trainer:
    """The same, at a rate and in parts that measurements may vary."""
    assert value == {}
    return Brier(model, batch, lr, accumulation)


@hookimpl
def retspec_training_sources() -> list[Source]:
    return [brier, divided_brier]

"""A batch: the inputs of the model and their targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.errors import NoVerdict

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Inputs (batch, ...) and targets (batch,) or (batch, classes), on the device of the run."""

    inputs: Tensor
    targets: Tensor

    def split(self, parts: int) -> list[tuple[Tensor, Tensor]]:
        """Return inputs and targets in as many parts of nearly the same size, none empty."""
        parts = min(parts, len(self.inputs))
        return list(zip(self.inputs.tensor_split(parts), self.targets.tensor_split(parts), strict=True))

    def first(self, samples: int) -> Batch:
        """Return the first samples; raises NoVerdict when there are fewer."""
        if samples > len(self.inputs):
            raise NoVerdict(f"this needs {samples} samples, and the training's first batch has {len(self.inputs)}")
        return Batch(self.inputs[:samples], self.targets[:samples])


class UnlabelledBatch(Batch):
    """Inputs (batch, ...) whose targets are not known."""

    def __init__(self, inputs: Tensor) -> None:
        object.__setattr__(self, "inputs", inputs)

    @property
    def targets(self) -> Tensor:
        """Raises NoVerdict: there are none."""
        raise NoVerdict("this needs the targets of the batch, and the training called no criterion that is known")

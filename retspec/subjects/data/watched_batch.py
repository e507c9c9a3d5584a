"""The batch that a training of the user's own showed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import NoVerdict
from retspec.subjects.data.batch import Batch

if TYPE_CHECKING:
    from torch import Tensor

    from retspec.subjects.training.watching.watched import WatchedRun


def first_of(batch: Batch, samples: int) -> Batch:
    """Return so many samples of a batch; raises NoVerdict when it has fewer."""
    if samples > len(batch.inputs):
        raise NoVerdict(f"this needs {samples} samples, and the training's first batch has {len(batch.inputs)}")
    return Batch(batch.inputs[:samples], batch.targets[:samples])


class UnlabelledBatch(Batch):
    """Inputs whose targets nobody saw."""

    def __init__(self, inputs: Tensor) -> None:
        object.__setattr__(self, "inputs", inputs)

    @property
    def targets(self) -> Tensor:
        """Raises NoVerdict: there are none."""
        raise NoVerdict("this needs the targets of the batch, and the training called no criterion that is known")


def batch_of(run: WatchedRun) -> Batch:
    """Return the first batch that entered the module that trains."""
    return UnlabelledBatch(run.inputs) if run.targets is None else Batch(run.inputs, run.targets)

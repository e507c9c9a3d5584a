"""A batch: what goes through the model, and what it is held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Inputs (batch, ...) and targets (batch,) or (batch, classes), on the device of the run."""

    inputs: Tensor
    targets: Tensor

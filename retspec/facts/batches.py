"""What a data source is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BatchRequest:
    """The batch that the measurements want; the source raises `SubjectError` when it cannot give it."""

    batch_size: int
    seed: int
    input_size: tuple[int, ...] | None
    """(channels, height, width) that the model was built for, where it tells."""
    num_classes: Callable[[tuple[int, ...]], int]
    """Width of the model's output for inputs of a shape (batch, ...), seen in a forward pass on fake tensors."""

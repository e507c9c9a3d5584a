"""What a data source is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BatchRequest:
    """The batch that the measurements want; the source raises `SubjectError` when it cannot give it."""

    samples: int | None = None
    """Images that a measurement wants, over whatever the spec says; None leaves it to the spec."""
    batch_size: int
    """Images per step in the recipe: what a source gives when neither says anything."""
    seed: int
    input_size: tuple[int, ...] | None
    """(channels, height, width) that the model was built for, where it tells."""
    num_classes: Callable[[tuple[int, ...]], int]
    """Width of the model's output for inputs of a shape (batch, ...), seen in a forward pass on fake tensors."""

    def size(self, own: int | None = None) -> int:
        """Return how many images to give; `own` is what the source's own options say."""
        return self.samples or own or self.batch_size

"""What a data source is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BatchRequest:
    """The batch that the measurements want; the source raises `SubjectError` when it cannot give it."""

    samples: int | None = None
    """Images that a measurement wants, whatever the spec says; None leaves it to the spec."""
    batch_size: int
    """Images per step in the recipe: what a source gives when neither the measurement nor its options say."""
    seed: int
    input_size: tuple[int, ...] | None
    """(channels, height, width) in pixels that the model was built for; None when it does not say."""
    outputs: Callable[[tuple[int, ...]], tuple[int, ...]]
    """Maps an input shape (batch, ...) to the shape of the model's output, seen in a forward pass on fake tensors."""
    task: str | None = None
    """What the targets mean, as `train.task` names it; None where the spec does not say."""
    loss: str = "cross_entropy"
    """As `train.loss` names it; empty where a step of the user's own computes it."""

    def num_classes(self, shape: tuple[int, ...]) -> int:
        """Return dimension 1 of the model's output for inputs of a shape (batch, ...); 1 where it has none."""
        return (*self.outputs(shape), 1)[1]

    def size(self, own: int | None = None) -> int:
        """Return the number of images to give; `own` is the number in the source's own options."""
        return self.samples or own or self.batch_size

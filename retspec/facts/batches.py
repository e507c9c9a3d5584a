"""What a data source is asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BatchRequest:
    """The batch that the measurements want; the source raises `SubjectError` when it cannot give it."""

    batch_size: int
    input_size: tuple[int, ...] | None
    """(channels, height, width) that the model was built for, where it tells."""
    num_classes: int | None
    """Width of the model's output, where it could be seen without data."""
    seed: int

"""Facts about preprocessing: what it does to an image, and what the model expects of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pipeline:
    """What the transforms of the data do to an image, seen by sending probes through them."""

    output_size: tuple[int, ...]
    """(channels, height, width) of what comes out."""
    mean: tuple[float, ...]
    """Per channel; out = (x - mean) / std for x in [0, 1]."""
    std: tuple[float, ...]
    keeps_aspect: bool
    """Whether a wide probe is cropped or padded rather than squeezed."""
    cropped: float
    """Share of the shorter side that survives; 1.0: nothing is cut off."""
    interpolation: str | None
    """`bilinear`, `bicubic`, … when it can be told from the transform's own attributes, else None."""


@dataclass(frozen=True)
class Expectations:
    """What the model says of the images that it was trained on; None where it says nothing, or there is no model."""

    input_size: tuple[int, ...] | None
    """(channels, height, width)."""
    mean: tuple[float, ...] | None
    """Per channel, for pixels from 0 to 1."""
    std: tuple[float, ...] | None
    from_file: bool
    """Whether weights come from a checkpoint: mean and std are those of the model's own weights, not of the file's."""
    are_followed: bool
    """Whether the transform was made from the model: then it has its mean and std whatever the images need."""

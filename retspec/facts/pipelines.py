"""Facts about preprocessing: what it does to an image, and what the model expects of it."""

from __future__ import annotations

from msgspec import Struct


class Pipeline(Struct, frozen=True):
    """What the transforms of the data do to an image, seen by sending probes through them."""

    output_size: tuple[int, ...]
    """(channels, height, width) of the output, in pixels."""
    mean: tuple[float, ...]
    """One per channel: out = (x - mean) / std for x in [0, 1]."""
    std: tuple[float, ...]
    """One per channel, likewise."""
    keeps_aspect: bool
    """Whether a wide probe is cropped or padded rather than squeezed."""
    cropped: float
    """Share of the shorter side that is kept, from 0 to 1: 1.0 means that nothing is cut off."""
    interpolation: str | None
    """`bilinear`, `bicubic`, … when the transform's own attributes show it, else None."""


class Expectations(Struct, frozen=True):
    """What the model says about the images that it was trained on; None where it says nothing, or there is no model."""

    input_size: tuple[int, ...] | None
    """(channels, height, width) in pixels."""
    mean: tuple[float, ...] | None
    """One per channel, for pixels from 0 to 1."""
    std: tuple[float, ...] | None
    """One per channel, likewise."""
    from_file: bool
    """Whether weights come from a checkpoint: mean and std are those of the model's own weights, not of the file's."""
    are_followed: bool
    """Whether the transform was made from the model: then it has its mean and std whatever the images need."""

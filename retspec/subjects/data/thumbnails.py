"""Small pictures as data URIs: of images as a transform made them, and of maps drawn over them."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PIL import Image
    from torch import Tensor

    from retspec.subjects.data.transforms import Transform

SIDE = 96
"""Most pixels of a side."""
DIMENSIONS = 4
"""Of a batch of images: (images, channels, height, width)."""
MODES = {1: "L", 3: "RGB"}
"""Of Pillow, by the number of channels."""
_QUALITY = 80
_LEVELS = 256
_HEAT = ((0.0, (20, 10, 70)), (0.4, (170, 30, 110)), (0.7, (250, 130, 30)), (1.0, (255, 245, 150)))
"""Colours from cold to hot. They grow brighter all the way, so that they differ without their hue."""


class Normalization(NamedTuple):
    """What a transform does to each channel: minus the mean, divided by the standard deviation."""

    mean: Sequence[float]
    std: Sequence[float]


@dataclass(frozen=True)
class Look:
    """How the images of a source are shown."""

    normalization: Normalization | None = None
    """That of the transform, which is undone; None where nobody knows it."""
    classes: Mapping[str, int] = field(default_factory=dict)
    """The names of the class numbers, as far as they are known."""

    @property
    def words(self) -> str:
        """How the brightness of a picture was found."""
        return "normalization undone" if self.normalization else "each stretched to all its range of brightness"

    def image(self, image: Tensor) -> Image.Image:
        """Return (channels, height, width) as a picture: its normalization undone, or stretched to its own range.

        Raises ValueError for another shape, and for numbers of other channels.
        """
        return of_tensor(image, self.normalization)

    def name(self, number: int, other: str = "") -> str:
        """Return the name of a class; its number behind another word where it has none."""
        return next((name for name, each in self.classes.items() if each == number), f"{other}{number}")


def are_images(inputs: Tensor) -> bool:
    """Whether inputs are (images, channels, height, width) with as many channels as a picture has."""
    return inputs.dim() == DIMENSIONS and inputs.shape[1] in MODES


def normalization_of(transform: Transform) -> Normalization | None:
    """Return mean and standard deviation of the step that normalizes, as torchvision and albumentations name them."""
    for _, step in reversed(transform.steps):
        mean, std = getattr(step, "mean", None), getattr(step, "std", None)
        if mean is not None and std is not None:
            return Normalization(_numbers(mean), _numbers(std))
    return None


def _numbers(values: Any) -> list[float]:
    return [float(value) for value in values] if hasattr(values, "__len__") else [float(values)]


def of_tensor(image: Tensor, known: Normalization | None) -> Image.Image:
    """Return (channels, height, width) as a picture; see `Look.image`."""
    import torch
    from PIL import Image

    if image.dim() != DIMENSIONS - 1 or image.shape[0] not in MODES:
        raise ValueError(f"no image: {tuple(image.shape)}")
    image = image.detach().float().cpu().nan_to_num()
    if known:
        mean, std = (torch.tensor(numbers).reshape(-1, 1, 1) for numbers in known)
        image = image * std + mean
    else:
        low, high = image.min(), image.max()
        image = (image - low) / (high - low).clamp(min=1e-12)
    levels = _levels(image).permute(1, 2, 0).contiguous().numpy()
    mode = MODES[levels.shape[2]]
    return Image.fromarray(levels[:, :, 0] if mode == "L" else levels)


def under_heat(image: Image.Image, heat: Tensor) -> Image.Image:
    """Return a picture with a map (rows, columns) over it, whose numbers are stretched to all colours."""
    from PIL import Image

    low, high = heat.min(), heat.max()
    levels = Image.fromarray(_levels((heat - low) / (high - low).clamp(min=1e-12)).cpu().numpy())
    drawn = levels.resize(image.size, Image.Resampling.BILINEAR)
    drawn.putpalette(_palette())
    return Image.blend(image.convert("L").convert("RGB"), drawn.convert("RGB"), 0.5)


def _levels(shares: Tensor) -> Tensor:
    import torch

    return (shares.clamp(0, 1) * (_LEVELS - 1)).round().to(torch.uint8)


@cache
def _palette() -> bytes:
    """Return 256 colours, red, green and blue in turn, on straight lines between those of `_HEAT`."""
    colours = bytearray()
    for level in range(_LEVELS):
        share = level / (_LEVELS - 1)
        (start, low), (end, high) = next(pair for pair in pairwise(_HEAT) if share <= pair[1][0])
        part = (share - start) / (end - start)
        colours += bytes(round(a + (b - a) * part) for a, b in zip(low, high, strict=True))
    return bytes(colours)


def uri_of(image: Image.Image) -> str:
    """Return a picture of at most 96 pixels a side as a data URI, without anything that its file said of it.

    It is WebP where this Pillow can write it, else JPEG.
    """
    small = image.convert("RGB") if image.mode not in MODES.values() else image.copy()
    small.thumbnail((SIDE, SIDE))
    small.info.clear()
    written = io.BytesIO()
    if writes_webp():
        kind = "webp"
        small.save(written, format="WEBP", quality=_QUALITY, method=6)
    else:
        kind = "jpeg"
        small.save(written, format="JPEG", quality=_QUALITY, optimize=True)
    return f"data:image/{kind};base64,{base64.b64encode(written.getvalue()).decode()}"


def writes_webp() -> bool:
    """Whether the installed Pillow was built with WebP."""
    from PIL import features

    return bool(features.check("webp"))

"""The measurement `pipeline`: the normalization, scaling and cropping of a transform."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, log
from typing import TYPE_CHECKING

from retspec.errors import Inconclusive, SubjectError
from retspec.facts import Pipeline
from retspec.plugin import Cost, measurement

if TYPE_CHECKING:
    from torch import Tensor

    from retspec.subjects.data.transforms import Transform, Transforms

WIDTH, HEIGHT = 1024, 512
"""Size of a probe, in pixels: twice as wide as high, and larger than most inputs."""
GREY = 128
ROUNDING = 0.01
"""Tolerance for a pixel from 0 to 1: rounding to 8 bits, and a resampling filter."""
SAME_SCALE = 0.05
"""Tolerance for the natural logarithm of horizontal over vertical scale."""


@dataclass(frozen=True)
class _Affine:
    """The change of colours: out = (x - mean) / std, for x from 0 to 1; mean and std are (channels,)."""

    mean: Tensor
    std: Tensor

    def undone(self, image: Tensor) -> Tensor:
        """Return an output (channels, height, width) before normalization, from 0 to 1, in float32 or wider."""
        return image.float() * self.std[:, None, None] + self.mean[:, None, None]


@measurement(cost=Cost.STATIC)
def pipeline(transforms: Transforms) -> Pipeline:
    """Find mean and std of the transform from uniform images, and its scaling and cropping from ramps.

    Raises Inconclusive when no mean and std, or no scale, describe the transform; SubjectError when it fails or
    does not return (channels, height, width).
    """
    transform = transforms.evaluate
    colours = _colours(transform)
    across, down = (colours.undone(_ramp(transform, axis)) for axis in ("across", "down"))
    scale_across = WIDTH * _slope(across.mean(0)[across.shape[1] // 2])
    scale_down = HEIGHT * _slope(down.mean(0)[:, down.shape[2] // 2])
    return Pipeline(
        output_size=tuple(down.shape),
        mean=tuple(colours.mean.tolist()),
        std=tuple(colours.std.tolist()),
        keeps_aspect=abs(log(scale_across / scale_down)) < SAME_SCALE,
        cropped=min(1.0, round(scale_down * down.shape[1] / HEIGHT, 3)),
        interpolation=transform.interpolation,
    )


def _colours(transform: Transform) -> _Affine:
    """Return mean and std, computed from the outputs for black and white; grey shows whether the transform is linear.

    Raises Inconclusive when there is no such mean and std.
    """
    black, grey, white = (_centre(transform, level) for level in (0, GREY, 255))
    span = white - black
    if not all(map(isfinite, span.tolist())) or not bool((span != 0).all()):
        raise Inconclusive(
            "black and white come out alike, or not as numbers, as they do when each image is normalized by itself: "
            "there is no mean and std"
        )
    colours = _Affine(mean=-black / span, std=1 / span)
    expected = black + span * (GREY / 255)
    if bool(((grey - expected).abs() > ROUNDING * span.abs()).any()):
        raise Inconclusive("grey does not come out between black and white: no mean and std describe the transform")
    return colours


def _centre(transform: Transform, level: int) -> Tensor:
    """Return the output pixel (channels,) in the middle of a uniform probe, where there is no padding.

    level: grey level of the probe, from 0 to 255.
    """
    from PIL import Image

    output = _image(transform(Image.new("RGB", (WIDTH, HEIGHT), (level,) * 3)))
    return output[:, output.shape[1] // 2, output.shape[2] // 2].double()


def _image(output: Tensor) -> Tensor:
    """Return the output if it is (channels, height, width); raises SubjectError otherwise."""
    if output.dim() != 3:  # noqa: PLR2004 - (channels, height, width)
        raise SubjectError(
            f"the transform gives a tensor of shape {tuple(output.shape)}; an image is (channels, height, width)",
            path="data.transform",
        )
    return output


def _ramp(transform: Transform, axis: str) -> Tensor:
    """Return the output (channels, height, width) for an image that goes from black to white, left to right or down."""
    import numpy as np
    from PIL import Image

    length = WIDTH if axis == "across" else HEIGHT
    ramp = np.round(np.linspace(0, 255, length)).astype(np.uint8)
    grid = np.broadcast_to(ramp if axis == "across" else ramp[:, None], (HEIGHT, WIDTH))
    return _image(transform(Image.fromarray(np.ascontiguousarray(grid)).convert("RGB")))


def _slope(line: Tensor) -> float:
    """Return the increase in brightness per pixel along a line of pixels (length,).

    It is the least-squares slope over the middle third, where there is no padding.

    Raises Inconclusive when the line does not get brighter.
    """
    import torch

    third = len(line) // 3
    middle = line[third : len(line) - third].double()
    places = torch.arange(len(middle), dtype=torch.float64)
    places -= places.mean()
    slope = float((places * (middle - middle.mean())).sum() / places.square().sum())
    if not isfinite(slope) or slope <= 0:
        raise Inconclusive("a ramp from black to white does not come out as one: where pixels go is unknown")
    return slope

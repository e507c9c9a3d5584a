"""`data: {gratings: {...}}`: seeded gratings, whose label is their orientation."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta
from retspec.plugin import PositiveInt, SubjectError, data_source

if TYPE_CHECKING:
    import torch
    from retspec.facts import BatchRequest
    from torch import Tensor

IMAGE_DIMS = 3
"""Dimensions of an image: channels, height, width."""


@dataclass(frozen=True, kw_only=True)
class Gratings:
    """The keys under `data.gratings`."""

    input_size: (
        Annotated[
            list[PositiveInt],
            Meta(
                min_length=IMAGE_DIMS,
                max_length=IMAGE_DIMS,
                description="[channels, height, width]; the model's own by default.",
            ),
        ]
        | None
    ) = None
    num_classes: (
        Annotated[PositiveInt, Meta(description="Number of orientations; the model's outputs by default.")] | None
    ) = None
    cycles: Annotated[float, Meta(ge=1, description="Largest number of periods across an image.")] = 8.0


@data_source
def gratings(options: Gratings, request: BatchRequest) -> tuple[Tensor, Tensor]:
    """Make coloured sine gratings, (batch, channels, height, width), labelled by orientation, (batch,).

    To a pre-trained backbone all noise looks alike, so noise says little about its features. Gratings differ in
    orientation, spatial frequency, phase and colour, which every vision model sees. Each image has zero mean and unit
    variance, as a normalized photograph has.
    """
    import torch

    size = tuple(options.input_size or request.input_size or ())
    if len(size) != IMAGE_DIMS:
        raise SubjectError(
            "the model does not say that it takes images; give their size, as in "
            "`data: {gratings: {input_size: [3, 224, 224]}}`",
            path="data",
        )
    shape = (request.size(), *size)
    classes = options.num_classes or request.num_classes(shape)
    labels = torch.arange(request.size()) % classes
    generator = torch.Generator().manual_seed(request.seed)
    return _images(labels * pi / classes, size, options.cycles, generator), labels


def _images(angles: Tensor, size: tuple[int, ...], cycles: float, generator: torch.Generator) -> Tensor:
    """Return one grating per angle (batch,), in radians; frequency, phase and colour are drawn."""
    import torch

    channels, height, width = size
    count = len(angles)
    frequency = 1 + (cycles - 1) * torch.rand(count, 1, 1, generator=generator)
    phase = 2 * pi * torch.rand(count, 1, 1, generator=generator)
    colour = torch.randn(count, channels, 1, 1, generator=generator)
    rows, columns = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    along = angles.cos()[:, None, None] * columns + angles.sin()[:, None, None] * rows
    images = colour * torch.sin(2 * pi * frequency * along + phase)[:, None]
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    deviation = images.std(dim=(1, 2, 3), keepdim=True)
    return (images - mean) / deviation

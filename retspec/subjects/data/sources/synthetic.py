"""`data: {synthetic: {...}}`: a seeded batch of normal noise with balanced labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.errors import SubjectError
from retspec.plugin import data_source
from retspec.records import PositiveInt

if TYPE_CHECKING:
    from torch import Tensor

    from retspec.facts import BatchRequest


@dataclass(frozen=True, kw_only=True)
class Synthetic:
    """The keys under `data.synthetic`."""

    batch_size: (
        Annotated[PositiveInt, Meta(description="Images in the batch; `train.batch_size` by default.")] | None
    ) = None
    input_size: (
        Annotated[
            list[PositiveInt],
            Meta(
                min_length=1,
                description="Shape of one input, [channels, height, width]; the model's own by default.",
            ),
        ]
        | None
    ) = None
    num_classes: (
        Annotated[PositiveInt, Meta(description="Number of labels; the model's outputs by default.")] | None
    ) = None


@data_source
def synthetic(options: Synthetic, request: BatchRequest) -> tuple[Tensor, Tensor]:
    """Make standard normal images, (batch, channels, height, width), and labels 0, 1, … in turn, (batch,).

    Noise of zero mean and unit variance looks to the first layer like a normalized photograph, and every model can
    memorize it within a few steps. It is made on the CPU, so that every device gets the same numbers.
    """
    import torch

    size = options.input_size or request.input_size
    if not size:
        raise SubjectError(
            "the model does not state its input size; give it, as in `data: {synthetic: {input_size: [3, 224, 224]}}`",
            path="data",
        )
    shape = (request.size(options.batch_size), *size)
    classes = options.num_classes or request.num_classes(shape)
    generator = torch.Generator().manual_seed(request.seed)
    return torch.randn(shape, generator=generator), torch.arange(shape[0]) % classes

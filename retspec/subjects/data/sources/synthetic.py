"""`data: {synthetic: {...}}`: a seeded batch of normal noise with the targets of the task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.errors import SubjectError
from retspec.plugin import data_source
from retspec.records import NAMED_LOSSES, PositiveInt
from retspec.subjects.training.tasks.choosing import task_before
from retspec.subjects.training.tasks.task import Wanted

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
                description="Shape of one input: [channels, height, width], or [channels, depth, height, width] for "
                "volumes; the model's own by default.",
            ),
        ]
        | None
    ) = None
    num_classes: (
        Annotated[PositiveInt, Meta(description="Number of labels; the model's outputs by default.")] | None
    ) = None


@data_source
def synthetic(options: Synthetic, request: BatchRequest) -> tuple[Tensor, Tensor]:
    """Make standard normal images, (batch, channels, height, width), and the targets of the task.

    The images may have any shape, such as one channel or (channels, depth, height, width). Class numbers are 0, 1, … in
    turn, (batch,); other tasks say in `retspec/subjects/training/tasks` what they need.

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
    is_said = request.task is None and request.loss not in NAMED_LOSSES and options.num_classes is not None
    outputs = (shape[0], options.num_classes or 1) if is_said else request.outputs(shape)
    generator = torch.Generator().manual_seed(request.seed)
    images = torch.randn(shape, generator=generator)
    wanted = Wanted(loss=request.loss, outputs=outputs, classes=options.num_classes, generator=generator)
    return task_before(request.task, request.loss, outputs).targets(wanted, images)

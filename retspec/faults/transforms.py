"""Faults of the transform from an image to a tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retspec.errors import DoesNotApply
from retspec.faults import Frequency, fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from retspec.subjects.data.transforms import Transforms

_OF_IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
_OF_INCEPTION = ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
"""Mean and standard deviation per channel, as `timm.data.constants` has them."""


@fault(families="data learning numerics predictions", noticed_by="normalization_atol", frequency=Frequency.OFTEN)
def normalized_for_another(transforms: Transforms) -> Iterator[None]:
    """The images are normalized as another backbone takes them."""
    import torch

    steps = [*_normalizing(transforms)]
    if not steps:
        raise DoesNotApply("no step of the transform is torchvision's Normalize for three channels")
    before = [(step.mean, step.std) for step in steps]
    for step in steps:
        is_usual = torch.allclose(torch.as_tensor(step.mean), torch.tensor(_OF_IMAGENET[0]), atol=0.01)
        step.mean, step.std = _OF_INCEPTION if is_usual else _OF_IMAGENET
    yield
    for step, (mean, std) in zip(steps, before, strict=True):
        step.mean, step.std = mean, std


def _normalizing(transforms: Transforms) -> Iterator[Any]:
    """Yield the steps of both transforms that normalize three channels."""
    for transform in (transforms.evaluate, transforms.augment):
        steps: Sequence[tuple[str, Any]] = transform.steps if transform else ()
        for name, step in steps:
            is_of_torchvision = type(step).__module__.startswith("torchvision.")
            if name == "Normalize" and is_of_torchvision and len(step.mean) == len(_OF_IMAGENET[0]):
                yield step

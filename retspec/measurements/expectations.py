"""The measurement `expectations`: the input size, mean and std that the model was trained with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.facts import Expectations
from retspec.plugin import Cost, measurement
from retspec.subjects.models.structure import input_size, preprocessing

if TYPE_CHECKING:
    from retspec.subjects.data.transforms import Transforms
    from retspec.subjects.models.skeleton import Skeleton


@measurement(cost=Cost.STATIC)
def expectations(optional_skeleton: Skeleton | None, transforms: Transforms) -> Expectations:
    """Read the preprocessing that the model expects from its own configuration, if there is a model."""
    if optional_skeleton is None:
        return Expectations(None, None, None, from_file=False, are_followed=transforms.from_model)
    module = optional_skeleton.module
    expected = preprocessing(module)
    mean, std = expected.get("mean"), expected.get("std")
    return Expectations(
        input_size=input_size(module),
        mean=tuple(mean) if mean else None,
        std=tuple(std) if std else None,
        from_file=optional_skeleton.from_file,
        are_followed=transforms.from_model,
    )

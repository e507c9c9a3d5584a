"""The measurement `geometry`: the shapes of patches, attention and logits in a forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugin import Cost, measurement

if TYPE_CHECKING:
    from retspec.facts import Geometry
    from retspec.subjects.data.batch import Batch
    from retspec.subjects.models.skeleton import Skeleton


@measurement(cost=Cost.STATIC)
def geometry(skeleton: Skeleton, batch: Batch) -> Geometry:
    """Record the shapes in one forward pass of the spec's batch on fake tensors.

    Raises NoVerdict when the model fails on inputs of this shape.
    """
    return skeleton.trace(tuple(batch.inputs.shape))

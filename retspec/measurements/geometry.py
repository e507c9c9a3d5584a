"""The measurement `geometry`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugin import Cost, measurement

if TYPE_CHECKING:
    from retspec.facts import Geometry
    from retspec.subjects.data.batch import Batch
    from retspec.subjects.models.skeleton import Skeleton


@measurement(cost=Cost.STATIC)
def geometry(skeleton: Skeleton, batch: Batch) -> Geometry:
    """Watch the shapes of one forward pass of the spec's batch on fake tensors."""
    return skeleton.trace(tuple(batch.inputs.shape))

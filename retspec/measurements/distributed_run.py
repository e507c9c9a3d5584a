"""The measurement `distributed_run`: the user's own training on several ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugin import Cost, measurement

if TYPE_CHECKING:
    from retspec.facts import DistributedRun


@measurement(cost=Cost.TRAINING)
def distributed_run(ranked_run: DistributedRun) -> DistributedRun:
    """Run the training on several ranks on the CPU, and compare what they were fed, computed and ended with."""
    return ranked_run

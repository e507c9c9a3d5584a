"""The measurement `loop`: what the user's own training showed while it ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugin import Cost, measurement

if TYPE_CHECKING:
    from retspec.facts.loop import Loop
    from retspec.subjects.training.watching.watched import WatchedRun


@measurement(cost=Cost.TRAINING)
def loop(watched_run: WatchedRun) -> Loop:
    """Read what optimizers, losses, schedules and forward passes did in the watched steps."""
    return watched_run.loop

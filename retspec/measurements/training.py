"""The measurement `training`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugin import Cost, measurement

if TYPE_CHECKING:
    from retspec.facts import Training
    from retspec.measurements.fitting import Fit


@measurement(cost=Cost.TRAINING)
def training(fitting: Fit) -> Training:
    """Tell what the fitting showed."""
    return fitting.training

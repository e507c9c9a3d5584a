"""The measurement `owners`: which parameters the optimizers of the user's own hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugin import Cost, measurement

if TYPE_CHECKING:
    from retspec.facts import Owners


@measurement(cost=Cost.TRAINING)
def owners(own_optimizers: Owners) -> Owners:
    """Compare the parameters of the user's own optimizers with those that train."""
    return own_optimizers

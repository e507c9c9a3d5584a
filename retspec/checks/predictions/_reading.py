"""How the checks of predictions read a statistic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugin import Observed

if TYPE_CHECKING:
    from retspec.facts import Statistic


def observed(statistic: Statistic) -> Observed[float]:
    """Return a statistic as an observation; from too few patients, it has no verdict whatever it is."""
    return Observed(
        statistic.value, statistic.details, unseen=statistic.few, noise=statistic.few, interval=statistic.interval
    )


def counted(statistic: Statistic) -> Observed[int]:
    """Return a count as an observation; what could not be looked at leaves a miss a miss."""
    return Observed(int(statistic.value), statistic.details, unseen=statistic.few)

"""Finding what a training made, among the objects that live."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from typing import Any


@dataclass
class LivingObjects:
    """Optimizers, loss scalers and schedulers; a training need not hand them to anyone."""

    optimizers: list[Any] = field(default_factory=list)
    scalers: list[Any] = field(default_factory=list)
    schedulers: list[Any] = field(default_factory=list)

    @staticmethod
    def found() -> LivingObjects:
        """Return them all; types are asked, not objects: a lazy proxy would import its module when it is asked."""
        from torch.amp import GradScaler
        from torch.optim import Optimizer
        from torch.optim.lr_scheduler import LRScheduler

        found = LivingObjects()
        for thing in gc.get_objects():
            kind = type(thing)
            if issubclass(kind, Optimizer) and "param_groups" in vars(thing):  # a wrapper has none of its own
                found.optimizers.append(thing)
            elif issubclass(kind, GradScaler):
                found.scalers.append(thing)
            elif issubclass(kind, LRScheduler) and hasattr(thing, "last_epoch"):
                found.schedulers.append(thing)
        return found


def step_count(scheduler: Any) -> int:
    """Return how many steps a scheduler has taken, that of its constructor included; there is no public count.

    Not all keep one: SequentialLR, ReduceLROnPlateau and CosineAnnealingWarmRestarts count epochs alone, from 0 on.
    """
    return max(int(getattr(scheduler, "_step_count", 0)), int(scheduler.last_epoch) + 1)

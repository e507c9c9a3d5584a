"""What a training made is found among the objects that live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    LambdaLR,
    LinearLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

from retspec.subjects.training.watching.living import LivingObjects, step_count

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEDULERS: dict[str, Callable[[Any], Any]] = {
    "StepLR": lambda optimizer: StepLR(optimizer, 3),
    "LambdaLR": lambda optimizer: LambdaLR(optimizer, lambda _step: 1.0),
    "OneCycleLR": lambda optimizer: OneCycleLR(optimizer, 1.0, total_steps=100),
    "ReduceLROnPlateau": ReduceLROnPlateau,
    "CosineAnnealingWarmRestarts": lambda optimizer: CosineAnnealingWarmRestarts(optimizer, 5),
    "SequentialLR": lambda optimizer: SequentialLR(
        optimizer, [LinearLR(optimizer, 0.1, total_iters=4), CosineAnnealingLR(optimizer, 100)], [4]
    ),
}


@pytest.mark.parametrize("name", SCHEDULERS)
def test_the_steps_of_every_kind_of_scheduler_are_counted(name: str) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = SCHEDULERS[name](optimizer)
    assert any(each is scheduler for each in LivingObjects.found().schedulers)
    before = step_count(scheduler)
    for _ in range(7):
        optimizer.step()
        scheduler.step(*([1.0] if name == "ReduceLROnPlateau" else []))
    assert step_count(scheduler) - before == 7

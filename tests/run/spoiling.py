"""A model that is one for all time, and a plugin whose measurement spoils it and fails."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import torch

from retspec.plugin import Check, Cost, check, hookimpl, measurement
from tests.tiny import base

if TYPE_CHECKING:
    from torch import nn

    from retspec.plugin import Measurement


@cache
def the_one() -> nn.Module:
    """Return the same module at every call."""
    return base()


@measurement(cost=Cost.FORWARD)
def spoiling(model: nn.Module) -> int:
    """Set all weights to zero, and fail."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    raise RuntimeError("planted")


@check(direction="at most", advice="None: it is for tests.")
def spoils(spoiling: int) -> int:
    """Does it spoil the model?"""
    return spoiling


@hookimpl
def retspec_checks() -> list[Check]:
    return [spoils]


@hookimpl
def retspec_measurements() -> list[Measurement]:
    return [spoiling]

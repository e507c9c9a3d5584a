"""Averages of the weights: which are found, and which of them follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from timm.utils import ModelEmaV2, ModelEmaV3
from torch import nn
from torch.optim.swa_utils import AveragedModel

from retspec.subjects.training.watching.averages import Averages

if TYPE_CHECKING:
    from collections.abc import Callable

MAKERS = [AveragedModel, lambda model: ModelEmaV2(model, decay=0.9999), lambda model: ModelEmaV3(model, decay=0.9999)]


@pytest.mark.parametrize("make", MAKERS, ids=["AveragedModel", "ModelEmaV2", "ModelEmaV3"])
@pytest.mark.parametrize("follows", [True, False])
def test_an_average_that_is_not_updated_stands_still(make: Callable[[nn.Module], nn.Module], *, follows: bool) -> None:
    model = nn.Linear(3, 2)
    average, averages = make(model), Averages()
    averages.meet()
    with torch.no_grad():
        model.weight += 1e-3
    if follows:
        (average.update_parameters if isinstance(average, AveragedModel) else average.update)(model)
    found, still = averages.found()
    name = type(average).__name__
    assert name in found
    assert (name in still) is not follows


def test_what_is_no_average_or_is_gone_is_not_found() -> None:
    model, averages = nn.Linear(3, 2), Averages()
    gone = AveragedModel(model)
    averages.meet()
    before = len(averages.found()[0])
    del gone
    assert len(averages.found()[0]) == before - 1

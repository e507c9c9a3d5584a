"""Averages of the weights: which are found, and which of them follow."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest
import torch
from timm.utils import ModelEma, ModelEmaV2, ModelEmaV3
from torch import nn
from torch.optim.swa_utils import AveragedModel

from retspec.subjects.training.watching import living
from retspec.subjects.training.watching.averages import Averages
from retspec.subjects.training.watching.living import Makings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAKERS = [AveragedModel, *(lambda model, kind=kind: kind(model, 0.9999) for kind in (ModelEma, ModelEmaV2, ModelEmaV3))]
NAMES = ["AveragedModel", "ModelEma", "ModelEmaV2", "ModelEmaV3"]


@pytest.fixture
def makings() -> Iterator[Makings]:
    found = Makings()
    with found.seen():
        yield found


def times(average: Any, makings: Makings) -> int:
    """Return how often an average is found; other tests of this process may have left some."""
    return sum(each is average for each in makings.averages())


@pytest.mark.parametrize("make", MAKERS, ids=NAMES)
@pytest.mark.parametrize("follows", [True, False])
def test_an_average_that_is_not_updated_stands_still(
    make: Callable[[nn.Module], Any], makings: Makings, *, follows: bool
) -> None:
    model = nn.Linear(3, 2)
    average, averages = make(model), Averages()
    averages.meet(each for each in makings.averages() if each is average)
    with torch.no_grad():
        model.weight += 1e-3
    if follows:
        (average.update_parameters if isinstance(average, AveragedModel) else average.update)(model)
    assert averages.found() == ((name := (type(average).__name__,)), () if follows else name)


def test_a_step_that_leaves_the_sum_of_all_sizes_is_one() -> None:
    average, averages = AveragedModel(nn.Linear(2, 1, bias=False)), Averages()
    with torch.no_grad():
        average.module.weight.copy_(torch.tensor([[1.0, -1.0]]))
        averages.meet([average])
        average.module.weight += 0.5
    assert averages.found() == (("AveragedModel",), ())


@pytest.mark.parametrize("make", MAKERS, ids=NAMES)
def test_averages_are_noted_as_they_are_made_without_a_look_at_all_objects(
    make: Callable[[nn.Module], Any], makings: Makings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(living, "gc", None)
    average = make(nn.Linear(3, 2))
    assert times(average, makings) == 1


@pytest.mark.parametrize("make", MAKERS, ids=NAMES)
def test_averages_that_lived_before_are_found(make: Callable[[nn.Module], Any]) -> None:
    average, makings = make(nn.Linear(3, 2)), Makings()
    with makings.seen():
        assert times(average, makings) == 1
    assert "seen" not in vars(type(average))["__init__"].__qualname__


def test_averages_of_a_library_that_is_imported_later_are_found(makings: Makings) -> None:
    """Both kinds are there as copies, too, with a class that is derived from them."""
    plain = type("ModelEma", (), {"__init__": ModelEma.__init__, "update": ModelEma.update})
    module = type("ModelEmaV2", (nn.Module,), {"__init__": nn.Module.__init__})
    derived = type("Mine", (module,), {})
    try:
        model = nn.Linear(3, 2)
        made = [plain(model), module(), derived(), AveragedModel(model)]
        assert [times(each, makings) for each in made] == [1, 1, 1, 1]
    finally:
        del made, plain, module, derived
        gc.collect()


def test_a_derived_average_is_found_once(makings: Makings) -> None:
    class Mine(AveragedModel):
        def __init__(self, model: nn.Module) -> None:
            super().__init__(model)
            self.own = True

    average = Mine(nn.Linear(3, 2))
    assert times(average, makings) == 1


def test_an_average_inside_another_module_is_found(makings: Makings) -> None:
    whole = nn.Sequential(AveragedModel(nn.Linear(3, 2)))
    assert times(whole[0], makings) == 1


def test_what_is_no_average_or_is_gone_is_not_found(makings: Makings) -> None:
    class ModelEma:
        """Called so, and without weights that are known."""

    model, averages, other = nn.Linear(3, 2), Averages(), ModelEma()
    gone = AveragedModel(model)
    assert times(other, makings) == 1
    averages.meet(each for each in makings.averages() if each is gone or each is other)
    assert averages.found() == (("AveragedModel",), ("AveragedModel",))
    del gone, other, ModelEma
    gc.collect()
    assert averages.found() == ((), ())

"""When a fault of a model is planted in a training of the user's own, and that nothing of it stays."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from torch.optim import SGD, Optimizer

from retspec.errors import DoesNotApply, SubjectError
from retspec.faults import Fault, fault
from retspec.subjects.planting import Planting
from retspec.subjects.training.watching.launching import Launch
from retspec.subjects.training.watching.planting import FaultInTraining
from retspec.subjects.training.watching.watch import EndOfWatch, Watch
from tests.proving.model_faults import MODEL_FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


pytestmark = pytest.mark.usefixtures("nothing_stays")


def wrapped() -> nn.Module:
    base = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 3))
    return get_peft_model(base, LoraConfig(r=2, target_modules=["0"], modules_to_save=["1"]))


def optimizer_of(model: nn.Module) -> Optimizer:
    return SGD(model.parameters(), lr=0.1)


def started(faulty: Fault, train: Callable[[], object]) -> Planting:
    planting = Planting(faulty)
    with FaultInTraining(planting).during(Launch("", train)) as launch:
        launch.start()
    return planting


def test_one_that_freezes_is_met_by_what_follows_the_wrapping_and_stays_until_it_is_undone() -> None:
    found: list[list[str]] = []
    models: list[nn.Module] = []

    def train() -> None:
        import peft

        model = peft.get_peft_model(nn.Sequential(nn.Linear(4, 4)), LoraConfig(r=2, target_modules=["0"]))
        models.append(model)
        found.append([name for name, parameter in model.named_parameters() if parameter.requires_grad])
        SGD(model.parameters(), lr=0.1)

    planting = started(MODEL_FAULTS["adapter_frozen"], train)
    (model,) = models
    assert found == [[]]
    assert not any(parameter.requires_grad for parameter in model.parameters())
    planting.undo()
    assert [name for name, each in model.named_parameters() if each.requires_grad and "lora_" in name]


def test_any_other_waits_for_the_optimizer() -> None:
    hooks: list[int] = []

    def train() -> None:
        import peft

        model = peft.get_peft_model(nn.Sequential(nn.Linear(4, 4)), LoraConfig(r=2, target_modules=["0"]))
        hooks.append(len(model._forward_hooks))
        SGD(model.parameters(), lr=0.1)
        hooks.append(len(model._forward_hooks))

    started(MODEL_FAULTS["softmax_twice"], train).undo()
    assert hooks == [0, 1]


@pytest.mark.parametrize(
    "given",
    [
        lambda model: model.parameters(),
        lambda model: [*model.parameters()],
        lambda model: model.named_parameters(),
        lambda model: [{"params": model.parameters()}],
        lambda model: [{"params": [model[0].weight]}, {"params": model[0].bias}],
        lambda model: nn.ParameterList(model.parameters()),
    ],
)
def test_an_optimizer_gets_what_it_was_given(given: Callable[[nn.Module], Iterator[nn.Parameter]]) -> None:
    model = nn.Sequential(nn.Linear(4, 3))
    expected = [[id(each) for each in group["params"]] for group in SGD(given(model), lr=0.1).param_groups]
    made: list[Optimizer] = []
    started(MODEL_FAULTS["weight_is_nan"], lambda: made.append(SGD(given(model), lr=0.1)))
    assert [[id(each) for each in group["params"]] for group in made[0].param_groups] == expected
    assert model[0].weight.isnan().sum() == 1


def test_random_numbers_of_the_training_are_what_they_would_have_been() -> None:
    drawn: list[torch.Tensor] = []

    def train() -> None:
        torch.manual_seed(1)
        model = wrapped()
        SGD(model.parameters(), lr=0.1)
        drawn.append(torch.rand(3))

    @fault(families="learning", noticed_by="loss_drop")
    def drawing(model: nn.Module) -> Iterator[None]:  # noqa: ARG001
        """It draws random numbers."""
        torch.rand(7)
        yield

    train()
    started(drawing, train)
    assert torch.equal(*drawn)


def test_a_fault_that_fails_ends_the_training_and_is_not_taken_for_its_error() -> None:
    after: list[str] = []

    @fault(families="learning", noticed_by="loss_drop")
    def broken(model: nn.Module) -> Iterator[None]:  # noqa: ARG001
        """It is wrong itself."""
        raise ZeroDivisionError("in the fault")
        yield

    def train() -> None:
        try:
            optimizer_of(nn.Linear(2, 2))
        except Exception:  # noqa: BLE001
            after.append("the training caught it")
        after.append("the training went on")

    with (
        pytest.raises(ZeroDivisionError, match="in the fault"),
        FaultInTraining(Planting(broken)).during(Launch("", train)) as launch,
    ):
        Watch(launch, 2).run()
    assert after == []


def test_one_that_returns_another_module_is_planted_where_that_can_be_given_back() -> None:
    class Other(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner = inner

    @fault(families="learning", noticed_by="loss_drop")
    def inside_another(model: nn.Module) -> nn.Module:
        """The model is inside another one."""
        return Other(model)

    made: list[nn.Module] = []

    def wrap() -> None:
        import peft

        made.append(peft.get_peft_model(nn.Sequential(nn.Linear(4, 4)), LoraConfig(r=2, target_modules=["0"])))
        SGD(made[0].parameters(), lr=0.1)

    started(inside_another, wrap)
    assert type(made[0]) is Other
    with (
        pytest.raises(DoesNotApply, match="it puts another module in place"),
        FaultInTraining(Planting(inside_another)).during(Launch("", lambda: None)),
        pytest.raises(EndOfWatch),
    ):
        optimizer_of(nn.Linear(2, 2))


def test_what_a_fault_finds_no_logits_in_is_not_said_of_the_users_model() -> None:
    def train() -> None:
        model = nn.Linear(2, 2)
        SGD(model.parameters(), lr=0.1)
        raise SubjectError("the model returns no logits")

    with pytest.raises(DoesNotApply, match="the model returns no logits"):
        started(MODEL_FAULTS["weight_is_nan"], train)


def test_a_module_that_imports_peft_meanwhile_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import peft

    (tmp_path / "imported_meanwhile.py").write_text("from peft import get_peft_model\n")
    monkeypatch.syspath_prepend(tmp_path)

    def train() -> None:
        import imported_meanwhile  # type: ignore[import-not-found]

        found.append(imported_meanwhile)
        optimizer_of(nn.Linear(2, 2))

    found: list[object] = []
    started(MODEL_FAULTS["weight_is_nan"], train)
    assert found[0].get_peft_model is peft.get_peft_model  # type: ignore[attr-defined]


@pytest.mark.parametrize("planted", MODEL_FAULTS)
def test_a_training_that_is_interrupted_leaves_nothing_patched(planted: str) -> None:
    def train() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        started(MODEL_FAULTS[planted], train)
    gc.collect()

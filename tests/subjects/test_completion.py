"""A model that a source gives is brought into the state that training sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

from retspec.checks.numerics.merge_atol import merge_atol
from retspec.errors import Inconclusive, SubjectError
from retspec.measurements.merging import merging
from retspec.subjects.data.batch import Batch
from retspec.subjects.models.completion import freeze_as_training_does
from retspec.subjects.models.skeleton import Skeleton, hollow, on_meta
from tests.tiny import CLASSES

if TYPE_CHECKING:
    from torch import Tensor

BATCH = Batch(torch.randn(4, 3, 8, 8), torch.zeros(4, dtype=torch.long))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(192, 16), nn.Linear(16, 16)
        self.head = nn.Linear(16, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.head(self.second(self.first(inputs.flatten(1)).relu()).relu())
        return outputs


class ReturnsNothing(Net):
    def train(self, mode: bool = True) -> None:  # type: ignore[override] # noqa: FBT001, FBT002 - as nn.Module has it
        super().train(mode)


class TakesNoMode(Net):
    def train(self) -> Any:  # type: ignore[override]
        return super().train()


class RunsOneLayerUnderTwoNames(Net):
    def __init__(self) -> None:
        super().__init__()
        self.again = self.second

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.head(self.again(self.second(self.first(inputs.flatten(1))).relu()).relu())
        return outputs


def test_a_train_that_returns_nothing_spoils_no_forward_pass() -> None:
    model = ReturnsNothing()
    freeze_as_training_does(model)
    skeleton = Skeleton(hollow(model, on_meta), real=lambda: model)
    assert skeleton.trace((4, 3, 8, 8)).output_shape == (4, CLASSES)


def test_a_train_without_a_mode_is_named_before_anything_runs() -> None:
    with pytest.raises(SubjectError, match=r"TakesNoMode.train takes no mode, and `eval\(\)` calls `train\(False\)`"):
        freeze_as_training_does(nn.Sequential(TakesNoMode()))


def test_active_adapters_of_different_layers_are_merged_exactly() -> None:
    model = get_peft_model(Net(), LoraConfig(r=2, target_modules=["first"]))
    model.add_adapter("other", LoraConfig(r=4, target_modules=["second"]))
    model.base_model.set_adapter(["default", "other"])
    facts = merging(model, BATCH)
    assert facts.merged < 1e-5 < facts.effect
    assert {layer.name: layer.deviation for layer in facts.layers} == {"first": 0, "second": 0}


def test_a_layer_under_two_names_is_told_apart_from_one_that_is_merged_badly() -> None:
    """Only the first name is adapted, and the other one changes with it when the adapter is merged."""
    facts = merging(get_peft_model(RunsOneLayerUnderTwoNames(), LoraConfig(target_modules=["second"])), BATCH)
    assert facts.merged > 1e-3
    assert facts.tied == ("second",)


class Encoder(nn.Module):
    """On its fast path, in eval mode and without gradients, torch reads the weights of a layer past its adapter."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.head(self.layer(inputs.flatten(1, 2)).mean(1))
        return outputs


@pytest.mark.parametrize(
    ("targets", "is_fast", "past"),
    [
        (["linear1", "out_proj"], True, ["layer.self_attn.out_proj", "layer.linear1"]),
        (["linear1", "out_proj"], False, ["layer.self_attn.out_proj"]),
        (["linear1"], False, []),
        (["self_attn"], False, []),
        (["head"], True, []),
    ],
)
def test_layers_whose_weight_is_read_past_the_adapter_are_named(
    targets: list[str], *, is_fast: bool, past: list[str]
) -> None:
    model = get_peft_model(Encoder(), LoraConfig(target_modules=targets))
    try:
        torch.backends.mha.set_fastpath_enabled(is_fast)
        facts = merging(model, BATCH)
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    assert [*facts.read_past] == past
    if past == ["layer.self_attn.out_proj", "layer.linear1"]:
        with pytest.raises(Inconclusive, match=r"torch reads past it in layer.self_attn.out_proj, layer.linear1"):
            merge_atol(facts)
    elif not past:
        assert merge_atol(facts).value < 1e-4

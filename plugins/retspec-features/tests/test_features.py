"""Healthy models pass by a wide margin; each planted fault moves the one number that is there for it."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import pytest
import timm
import torch
from peft import LoraConfig, get_peft_model
from retspec.facts import BatchRequest
from retspec.plugin import Inconclusive, SubjectError
from retspec.toolkit import Batch, trace
from torch import nn

from retspec_features.checks.dead_features import dead_features
from retspec_features.checks.min_feature_rank import min_feature_rank
from retspec_features.checks.min_feature_spread import min_feature_spread
from retspec_features.facts import Features
from retspec_features.gratings import Gratings, gratings
from retspec_features.measuring import features

if TYPE_CHECKING:
    from torch import Tensor

CLASSES = 3
SIZE = (3, 32, 32)


def batch_of(images: int) -> Tensor:
    request = BatchRequest(batch_size=images, seed=42, input_size=SIZE, outputs=lambda shape: (shape[0], CLASSES))
    inputs, _ = gratings(Gratings(), request)
    return inputs


def measured(model: nn.Module, inputs: Tensor | None = None) -> Features:
    inputs = batch_of(12) if inputs is None else inputs
    batch = Batch(inputs, torch.arange(len(inputs)) % CLASSES)
    found = features(model, batch, trace(deepcopy(model).eval(), inputs))
    assert isinstance(found, Features)
    return found


def net(*before_the_head: nn.Module, width: int = 64) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(3072, 64), nn.ReLU(), *before_the_head, nn.Linear(width, CLASSES))


def vit() -> nn.Module:
    torch.manual_seed(0)
    sizes = {"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 2}
    return timm.create_model("vit_tiny_patch16_224", num_classes=CLASSES, **sizes)


def closed_relu() -> nn.Module:
    """A bias far below zero keeps half of the units shut."""
    model = net()
    with torch.no_grad():
        model[1].bias[:32] = -1e3
    return model


def swallowed_input() -> nn.Module:
    model = net()
    with torch.no_grad():
        model[1].weight.zero_()
        model[1].bias.fill_(1.0)
    return model


@pytest.mark.parametrize("model", [net(), vit()], ids=["mlp", "vit"])
def test_a_healthy_model_passes_all_three(model: nn.Module) -> None:
    found = measured(model)
    assert min_feature_rank(found).value > 0.5
    assert min_feature_spread(found).value > 0.2
    assert dead_features(found).value < 0.1


def test_a_bottleneck_of_one_unit_leaves_one_direction() -> None:
    found = measured(net(nn.Linear(64, 1), nn.Linear(1, 64)))
    observed = min_feature_rank(found)
    assert observed.details["effective rank"] == pytest.approx(1)
    assert observed.value == pytest.approx(1 / 11)
    assert min_feature_spread(found).value > 0.1


def test_a_model_that_swallows_its_input_has_neither_rank_nor_spread() -> None:
    found = measured(swallowed_input())
    assert (min_feature_rank(found).value, min_feature_spread(found).value, dead_features(found).value) == (0, 0, 1)


def test_a_huge_bias_shows_as_spread_alone() -> None:
    model = net()
    with torch.no_grad():
        model[1].bias += 100
    found = measured(model)
    assert min_feature_spread(found).value < 0.02
    assert min_feature_rank(found).value > 0.5


def test_units_that_never_open_are_dead() -> None:
    observed = dead_features(measured(closed_relu()))
    assert observed.value == 0.5
    assert observed.details == {"dead": 32, "images": 12, "features": 64, "before": "3"}


def test_effective_rank_counts_equal_directions_in_full() -> None:
    """Four orthogonal features, centred, leave three equal singular values."""
    found = measured(nn.Sequential(nn.Identity(), nn.Linear(4, CLASSES)), torch.eye(4))
    assert found.singular_values == pytest.approx([1, 1, 1])
    assert found.effective_rank == pytest.approx(3)
    assert min_feature_rank(found).value == pytest.approx(1)
    assert min_feature_spread(found).value == pytest.approx(0.75**0.5)


@pytest.mark.parametrize("adapted", [["qkv"], ["qkv", "head"]], ids=["head-saved", "head-adapted"])
def test_an_adapter_on_the_head_changes_nothing_of_what_enters_it(adapted: list[str]) -> None:
    """The last layer under LoRA is B, but the features are what enters the adapted layer."""
    plain = measured(vit())
    saved = None if "head" in adapted else ["head"]
    config = LoraConfig(r=2, target_modules=adapted, modules_to_save=saved)
    wrapped = measured(get_peft_model(vit(), config))
    assert wrapped.width == plain.width == 48
    assert wrapped.singular_values == pytest.approx(plain.singular_values, rel=1e-4)


def test_half_precision_is_measured_in_single() -> None:
    model = vit().to(torch.bfloat16)
    half = measured(model, batch_of(12).to(torch.bfloat16))
    assert half.effective_rank == pytest.approx(measured(vit()).effective_rank, rel=0.05)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}


def test_the_model_is_left_as_it_was_found() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 4, stride=4), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(512, CLASSES))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    measured(model)
    assert model.training
    assert all(tensor.equal(before[name]) for name, tensor in model.state_dict().items())
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_too_few_different_images_prove_nothing() -> None:
    with pytest.raises(Inconclusive, match=r"3 different images, this needs 4; raise `train.batch_size`"):
        measured(vit(), batch_of(3).repeat(4, 1, 1, 1))


def test_features_that_are_not_finite_prove_nothing() -> None:
    model = net()
    with torch.no_grad():
        model[1].weight[0, 0] = float("nan")
    with pytest.raises(Inconclusive, match="a feature is not finite"):
        measured(model)


def test_a_model_without_a_head_has_no_features() -> None:
    headless = timm.create_model("vit_tiny_patch16_224", num_classes=0, img_size=32, patch_size=8, depth=1)
    with pytest.raises(SubjectError, match=r"ends in \S+ \(LayerNorm\).*set the number of classes"):
        measured(headless)


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3072, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        flat = inputs.flatten(1)
        return self.head(flat) + self.head(-flat)


def test_a_head_that_runs_twice_is_refused() -> None:
    with pytest.raises(SubjectError, match=r"must run once.*\(12, 3072\), \(12, 3072\)"):
        measured(Twice())

"""The criteria of `seven_checks.yaml` as seven tests of pytest, each with a model of its own.

Usage: MODEL=vit_small_patch16_224 pytest -c /dev/null benchmarks/seven_tests.py

The loss is asked about over twenty steps; every other test takes the fewest that its question needs.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import pytest
import torch
from one_test_one_model import BATCH, CLASSES, build, train, trainable
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

if TYPE_CHECKING:
    from peft import PeftModel


@pytest.fixture
def model() -> PeftModel:
    torch.manual_seed(0)
    return build()


@pytest.fixture
def images() -> Tensor:
    return torch.randn(BATCH, 3, 224, 224)


@pytest.fixture
def labels() -> Tensor:
    return torch.arange(BATCH) % CLASSES


def test_only_adapter_and_head_train(model: PeftModel) -> None:
    assert all("lora_" in name or "head" in name for name in trainable(model))


def test_the_loss_halves(model: PeftModel, images: Tensor, labels: Tensor) -> None:
    losses = train(model, images, labels)
    assert losses[-1] <= 0.5 * losses[0]


def test_every_parameter_gets_a_gradient(model: PeftModel, images: Tensor, labels: Tensor) -> None:
    train(model, images, labels, steps=3)
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in trainable(model).values())


def test_what_is_frozen_stays(model: PeftModel, images: Tensor, labels: Tensor) -> None:
    frozen = {name: p.clone() for name, p in model.named_parameters() if not p.requires_grad}
    train(model, images, labels, steps=3)
    assert all(parameter.equal(frozen[name]) for name, parameter in model.named_parameters() if name in frozen)


def test_merging_keeps_the_outputs(model: PeftModel, images: Tensor) -> None:
    _fill(model)
    model.eval()
    with torch.no_grad():
        adapted = model(images)
        merged = copy.deepcopy(model).merge_and_unload()(images)
        with model.disable_adapter():
            assert (adapted - model(images)).abs().max() > 1e-3
    assert (adapted - merged).abs().max() <= 1e-5


def test_two_trainings_are_equal(images: Tensor, labels: Tensor) -> None:
    runs = []
    for _ in range(2):
        torch.manual_seed(0)
        model = build()
        runs.append((train(model, images, labels, steps=3), trainable(model)))
    (losses, trained), (losses_again, trained_again) = runs
    assert losses == losses_again
    assert all(parameter.equal(trained_again[name]) for name, parameter in trained.items())


def test_accumulated_gradients_are_those_of_the_batch(model: PeftModel, images: Tensor, labels: Tensor) -> None:
    _fill(model)
    cross_entropy(model(images), labels).backward()  # type: ignore[no-untyped-call]
    whole = {name: parameter.grad for name, parameter in trainable(model).items()}
    model.zero_grad()
    for some, their in zip(images.tensor_split(3), labels.tensor_split(3), strict=True):
        (cross_entropy(model(some), their) * len(some) / BATCH).backward()
    for name, parameter in trainable(model).items():
        torch.testing.assert_close(parameter.grad, whole[name], rtol=1e-3, atol=1e-5)


def _fill(model: nn.Module) -> None:
    """Fill the zero factors of a new adapter, without which it does nothing."""
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.02)

"""The criteria of specs/lora_preflight.yaml as the usual suite of pytest: every test builds its own model.

Usage: MODEL=vit_small_patch16_224 pytest -c /dev/null benchmarks/one_test_one_model.py

Each test takes the fewest steps that its question needs; none shares what another has built or trained.
"""

from __future__ import annotations

import copy
import math
import os
from itertools import pairwise

import pytest
import timm
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from preflight import MODELS
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

MODEL = os.environ["MODEL"]
BLOCKS = MODELS[MODEL]
STEPS, BATCH, CLASSES = 20, 4, 5


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def model() -> PeftModel:
    return build()


@pytest.fixture
def images() -> Tensor:
    return torch.randn(BATCH, 3, 224, 224)


@pytest.fixture
def labels() -> Tensor:
    return torch.arange(BATCH) % CLASSES


def build(rank: int = 8) -> PeftModel:
    base = timm.create_model(MODEL, num_classes=CLASSES, global_pool="avg")
    settings = LoraConfig(r=rank, lora_alpha=32, target_modules=["qkv"], modules_to_save=["head"])
    return get_peft_model(base, settings)


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def train(model: PeftModel, images: Tensor, labels: Tensor, steps: int = STEPS) -> list[float]:
    optimizer = torch.optim.AdamW(trainable(model).values(), lr=1e-3, weight_decay=0.0)
    model.train()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = cross_entropy(model(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    return losses


# What trains --------------------------------------------------------------------------------------


def test_few_parameters_train(model: PeftModel) -> None:
    assert sum(parameter.numel() for parameter in trainable(model).values()) <= 1_000_000


def test_only_adapter_and_head_train(model: PeftModel) -> None:
    assert all("lora_" in name or "head" in name for name in trainable(model))


def test_every_block_is_adapted(model: PeftModel) -> None:
    assert sum(name.endswith("lora_A.default.weight") for name in trainable(model)) == BLOCKS.number


def test_the_head_trains(model: PeftModel, images: Tensor, labels: Tensor) -> None:
    cross_entropy(model(images), labels).backward()  # type: ignore[no-untyped-call]
    assert any("head" in name and parameter.grad is not None for name, parameter in trainable(model).items())


@pytest.mark.parametrize("rank", [4, 8, 16, 32])
def test_the_adapter_has_the_size_of_its_rank(rank: int) -> None:
    size = sum(parameter.numel() for name, parameter in trainable(build(rank)).items() if "lora_" in name)
    assert size == BLOCKS.number * 4 * BLOCKS.width * rank


# What goes through it -----------------------------------------------------------------------------


def test_the_sequence_has_all_patches(model: PeftModel, images: Tensor) -> None:
    lengths = []
    model.base_model.model.blocks[0].register_forward_hook(lambda _block, inputs, _out: lengths.append(inputs[0].shape))
    with torch.no_grad():
        model(images)
    assert lengths[0][1] == 197


def test_there_is_a_logit_per_class(model: PeftModel, images: Tensor) -> None:
    with torch.no_grad():
        assert model(images).shape == (BATCH, CLASSES)


def test_merging_keeps_the_outputs(model: PeftModel, images: Tensor) -> None:
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.02)
    model.eval()
    with torch.no_grad():
        adapted = model(images)
        merged = copy.deepcopy(model).merge_and_unload()(images)
        with model.disable_adapter():
            assert (adapted - model(images)).abs().max() > 1e-3
    assert (adapted - merged).abs().max() <= 1e-5


# Whether it learns --------------------------------------------------------------------------------


def test_the_loss_halves(model: PeftModel, images: Tensor, labels: Tensor) -> None:
    losses = train(model, images, labels)
    assert losses[-1] <= 0.5 * losses[0]


def test_the_loss_does_not_jump(model: PeftModel, images: Tensor, labels: Tensor) -> None:
    losses = train(model, images, labels)
    assert max(after - before for before, after in pairwise(losses)) <= 0.1 * losses[0]


def test_the_first_loss_is_that_of_chance(model: PeftModel, images: Tensor, labels: Tensor) -> None:
    with torch.no_grad():
        loss = cross_entropy(model(images), labels).item()
    assert abs(loss - math.log(CLASSES)) <= 0.2 * math.log(CLASSES)


def test_the_loss_stays_finite(model: PeftModel, images: Tensor, labels: Tensor) -> None:
    assert all(map(math.isfinite, train(model, images, labels)))


def test_every_parameter_gets_a_gradient(model: PeftModel, images: Tensor, labels: Tensor) -> None:
    train(model, images, labels, steps=3)
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in trainable(model).values())


def test_every_parameter_moves(model: PeftModel, images: Tensor, labels: Tensor) -> None:
    before = {name: parameter.detach().clone() for name, parameter in trainable(model).items()}
    train(model, images, labels, steps=3)
    assert all(not parameter.equal(before[name]) for name, parameter in trainable(model).items())


def test_what_is_frozen_stays(model: PeftModel, images: Tensor, labels: Tensor) -> None:
    frozen = {name: p.clone() for name, p in model.named_parameters() if not p.requires_grad}
    train(model, images, labels, steps=3)
    assert all(parameter.equal(frozen[name]) for name, parameter in model.named_parameters() if name in frozen)

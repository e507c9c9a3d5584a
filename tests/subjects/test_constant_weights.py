"""Weights of one value, and copies of one another, are noted; what is meant to be so is not."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

import peft
import pytest
import timm
import torch
import torchvision
import transformers
from torch import nn

from retspec.subjects.models.constant_weights import weight_notes
from tests import own_adapters, tiny

if TYPE_CHECKING:
    from collections.abc import Callable


def net(*, frozen: bool = False) -> Any:
    torch.manual_seed(0)
    made = nn.Sequential(
        nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16), nn.Linear(16, 3)
    )
    return made.requires_grad_(not frozen)


def filled(value: float, *layers: int, frozen: bool = False) -> nn.Module:
    made = net(frozen=frozen)
    for layer in layers:
        nn.init.constant_(made[layer].weight, value)
    return made


def copied() -> nn.Module:
    made = net()
    made[4] = copy.deepcopy(made[2])
    return made


def cloned_layers() -> nn.Module:
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), 2, enable_nested_tensor=False)


def zero_layer_adapted() -> nn.Module:
    return peft.get_peft_model(filled(0, 0), peft.LoraConfig(target_modules=["0", "2"]))


@pytest.mark.parametrize(
    ("made", "notes"),
    [
        (
            lambda: filled(0.02, 0, 2),
            [r"weights of one value alone, .* 0\.weight \(0\.02\), 2\.weight \(0\.02\); look"],
        ),
        (lambda: filled(0, 2), [r"expected: 2\.weight \(0\);"]),
        (lambda: filled(0, 2, frozen=True), [r"expected: 2\.weight \(0\);"]),
        (zero_layer_adapted, [r"expected: 0\.base_layer\.weight \(0\);"]),
        (copied, [r"equal to the bit and not shared: 2\.weight, 4\.weight; one may be a copy"]),
        (cloned_layers, [r"in_proj_weight, layers\.1", r"out_proj\.weight", r"linear1\.weight", r"linear2\.weight"]),
    ],
)
def test_what_is_constant_or_repeated_is_noted(made: Callable[[], nn.Module], notes: list[str]) -> None:
    found = weight_notes(made())
    assert len(found) == len(notes)
    assert all(re.search(note, text) for note, text in zip(notes, found, strict=True))


def bottleneck() -> nn.Module:
    """An adapter of a team's own, which begins with zeros in a frozen model: https://arxiv.org/abs/1902.00751."""
    made = filled(0, 2, frozen=True)
    made.get_submodule("2").requires_grad_()
    return made


def tied() -> nn.Module:
    made = net()
    made[4].weight = made[2].weight
    return made


def teacher() -> nn.Module:
    student = net()
    return nn.ModuleList([student, copy.deepcopy(student).requires_grad_(requires_grad=False)])


SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "image_size": 32,
    "patch_size": 8,
}
HEALTHY: dict[str, Callable[[], nn.Module]] = {
    "zero head": lambda: filled(0, 5),
    "bottleneck": bottleneck,
    "tied": tied,
    "teacher": teacher,
    "own factors": own_adapters.in_the_layer,
    "lora": tiny.vit,
    "attention": tiny.multihead,
    "dora": lambda: tiny.vit(use_dora=True),
    "identities": lambda: timm.create_model("convit_tiny", num_classes=3, embed_dim=12, depth=3),
    "scales": lambda: timm.create_model("nfnet_l0", num_classes=3),
    "mixer": lambda: timm.create_model("mixer_s32_224", num_classes=3),
    "hiera": lambda: timm.create_model("hiera_tiny_224", num_classes=3),
    "cait": lambda: timm.create_model("cait_xxs24_224", depth=2, num_classes=3),
    "torchvision": lambda: torchvision.models.vit_b_32(image_size=32, num_classes=3),
    "swin of torchvision": lambda: torchvision.models.swin_t(num_classes=3),
    "transformers": lambda: transformers.ViTForImageClassification(transformers.ViTConfig(**SMALL)),
    "beit": lambda: transformers.BeitForImageClassification(transformers.BeitConfig(**SMALL)),
    "segformer": lambda: transformers.SegformerForSemanticSegmentation(transformers.SegformerConfig()),
    "mae": lambda: transformers.ViTMAEForPreTraining(transformers.ViTMAEConfig(**SMALL, decoder_hidden_size=32)),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_what_is_meant_to_be_so_is_not_noted(name: str) -> None:
    torch.manual_seed(0)
    assert weight_notes(HEALTHY[name]()) == ()

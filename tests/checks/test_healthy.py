"""No false alarm: a common spec is met by healthy timm models of many families."""

from __future__ import annotations

from pathlib import Path

import pytest

from retspec.records import Verdict
from tests.here import run_here

pytestmark = pytest.mark.no_cover  # as in `test_faults.py`

COMMON = Path(__file__).parent.parent / "cases" / "preflight" / "any.yaml"

LORA = "model.lora={target_modules: [%s], modules_to_save: [%s]}"
# The transformers with LoRA: without weights to start from, DINOv2's LayerScale of 1e-5 would keep it from learning.
ADAPTED = {
    "vit_tiny_patch16_224": ("qkv", "head", "img_size: 64"),
    "deit_tiny_patch16_224": ("qkv", "head", "img_size: 64"),
    "vit_small_patch14_reg4_dinov2": ("qkv", "head", "img_size: 56, depth: 4, init_values: 1.0"),
    "swin_tiny_patch4_window7_224": ("qkv", "head.fc", "img_size: 64, window_size: 2, depths: [1, 1, 2, 1]"),
    "mixer_s32_224": ("fc1, fc2", "head", "img_size: 64"),
}
# The convolutional ones train in full: their BatchNorm statistics may then move.
FULL = [
    "convnext_atto",
    "convnextv2_atto",
    "resnet10t",
    "resnet18",
    "efficientnet_b0",
    "mobilenetv3_small_050",
    "regnetx_002",
    "ghostnet_050",
]


@pytest.mark.parametrize("name", ADAPTED)
def test_healthy_transformer_with_lora_is_met(name: str) -> None:
    targets, head, kwargs = ADAPTED[name]
    size = [f"model.timm={name}", f"model.kwargs={{num_classes: 5, {kwargs}}}", LORA % (targets, head)]
    side = kwargs.partition("img_size: ")[2].partition(",")[0]
    assert_met([*size, f"data.synthetic.input_size=[3, {side}, {side}]", "checks.merge_atol=1e-5"])


@pytest.mark.parametrize("name", FULL)
def test_healthy_convolutional_network_is_met(name: str) -> None:
    assert_met([f"model.timm={name}"])


def assert_met(overrides: list[str]) -> None:
    results = run_here(COMMON, overrides)
    alarms = {name: result.reason for name, result in results.items() if result.verdict is not Verdict.MET}
    assert alarms == {}

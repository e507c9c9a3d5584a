"""Healthy classifiers of transformers and torchvision, small and without weights: the family is what is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

CLASSES = 5
_TOKENS = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 96}
_PATCHES = {"image_size": 64, "patch_size": 16, **_TOKENS}
_SWIN = {"image_size": 64, "embed_dim": 24, "depths": [1, 1], "num_heads": [2, 4], "window_size": 4}
_STAGES = {"hidden_sizes": [16, 32], "depths": [1, 1], "num_stages": 2}
_PYRAMID = {
    "num_encoder_blocks": 2,
    "depths": [1, 1],
    "sr_ratios": [2, 1],
    "hidden_sizes": [16, 32],
    "patch_sizes": [7, 3],
    "strides": [4, 2],
    "num_attention_heads": [1, 2],
    "mlp_ratios": [2, 2],
}
_TOWER = {"vision_config": {**_PATCHES, "projection_dim": 32}}

# Layers that LoRA adapts, the head that is saved (empty: everything trains), and the sizes of the configuration.
TRANSFORMERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "vit": ("q_proj, v_proj", "classifier", _PATCHES),
    "deit": ("q_proj, v_proj", "classifier", _PATCHES),
    "vit_msn": ("q_proj, v_proj", "classifier", _PATCHES),
    "beit": ("q_proj, v_proj", "classifier", {**_PATCHES, "layer_scale_init_value": 1.0}),
    "data2vec-vision": ("query, value", "classifier", {**_PATCHES, "layer_scale_init_value": 1.0}),
    "dinov2": ("q_proj, v_proj", "classifier", {**_PATCHES, "mlp_ratio": 2}),
    "dinov2_with_registers": ("q_proj, v_proj", "classifier", {**_PATCHES, "mlp_ratio": 2}),
    "ijepa": ("q_proj, v_proj", "classifier", _PATCHES),
    "clip": ("q_proj, v_proj", "classifier", _TOWER),
    "siglip": ("q_proj, v_proj", "classifier", _TOWER),
    "swin": ("q_proj, v_proj", "classifier", _SWIN),
    "swinv2": ("", "", _SWIN),
    "segformer": ("q_proj, v_proj", "classifier", {**_PYRAMID, "decoder_hidden_size": 32}),
    "convnext": ("", "", {**_STAGES, "layer_scale_init_value": 1.0}),
    "convnextv2": ("", "", _STAGES),
    "resnet": ("", "", {"embedding_size": 16, "hidden_sizes": [16, 32], "depths": [1, 1], "layer_type": "basic"}),
    "bit": ("", "", {"embedding_size": 16, "hidden_sizes": [32, 64], "depths": [1, 1], "num_groups": 8}),
    "poolformer": (
        "",
        "",
        {**_STAGES, "num_encoder_blocks": 2, "patch_sizes": [7, 3], "strides": [4, 2], "padding": [2, 1]},
    ),
    "focalnet": ("", "", {"image_size": 64, "embed_dim": 24, "depths": [1, 1], "hidden_sizes": [24, 48]}),
}
TORCHVISION = ("mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x0_5", "resnet18")


def of_transformers(kind: str) -> nn.Module:
    from transformers import AutoConfig, AutoModelForImageClassification, DeiTForImageClassification

    config = AutoConfig.for_model(kind, num_labels=CLASSES, **TRANSFORMERS[kind][2])
    made = DeiTForImageClassification if kind == "deit" else AutoModelForImageClassification.from_config
    model: nn.Module = made(config)  # DeiT has two classes, of which the other one wants a teacher
    return model


def of_torchvision(name: str) -> nn.Module:
    from torchvision.models import get_model

    model: nn.Module = get_model(name, weights=None, num_classes=CLASSES)
    return model


def with_stochastic_depth(kind: str) -> nn.Module:
    from torchvision.models import SwinTransformer
    from torchvision.models.convnext import CNBlockConfig, ConvNeXt

    if kind == "swin":
        sizes = {"patch_size": [4, 4], "embed_dim": 24, "depths": [1, 1], "num_heads": [2, 4], "window_size": [4, 4]}
        swin: nn.Module = SwinTransformer(**sizes, stochastic_depth_prob=0.3, num_classes=CLASSES)
        return swin
    blocks = [CNBlockConfig(16, 32, 1), CNBlockConfig(32, None, 1)]
    convnext: nn.Module = ConvNeXt(blocks, stochastic_depth_prob=0.3, layer_scale=0.5, num_classes=CLASSES)
    return convnext

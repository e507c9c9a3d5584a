"""Healthy models of timm, transformers and torchvision, small and without weights: the family is what is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

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
    # In narrower stages, all of the few ReLUs of a squeeze may be dead.
    "regnet": ("", "", {"embedding_size": 16, "hidden_sizes": [64, 128], "depths": [1, 1], "groups_width": 8}),
    "bit": ("", "", {"embedding_size": 16, "hidden_sizes": [32, 64], "depths": [1, 1], "num_groups": 8}),
    "poolformer": (
        "",
        "",
        {**_STAGES, "num_encoder_blocks": 2, "patch_sizes": [7, 3], "strides": [4, 2], "padding": [2, 1]},
    ),
    "focalnet": ("", "", {"image_size": 64, "embed_dim": 24, "depths": [1, 1], "hidden_sizes": [24, 48]}),
}
TORCHVISION = ("mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x0_5", "resnet18", "regnet_y_400mf")


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


# Other tasks ---------------------------------------------------------------------------------------

OUTPUTS = {"multilabel": 4, "regression": 1, "segmentation": 3}
_UPERNET = {"hidden_sizes": [16, 32, 32, 32], "depths": [1] * 4, "out_features": [f"stage{i}" for i in range(1, 5)]}


def for_task(library: str, name: str, task: str) -> nn.Module:
    """Return a model with the outputs of a task: of timm an encoder under a head of one's own."""
    made = {"timm": _under_a_head, "transformers": _of_transformers_for, "torchvision": _of_torchvision_for}
    return made[library](name, task)


def _under_a_head(name: str, task: str) -> nn.Module:
    import timm
    from torch import nn

    if task == "segmentation":
        pyramid = timm.create_model(name, features_only=True, out_indices=(1,))
        return _Pixels(pyramid, nn.Conv2d(pyramid.feature_info.channels()[0], OUTPUTS[task], 1))
    sizes = {"img_size": 64, "depth": 2} if name.startswith("vit") else {}
    encoder = timm.create_model(name, num_classes=0, **sizes)
    return nn.Sequential(encoder, nn.Dropout(0.1), nn.Linear(encoder.num_features, OUTPUTS[task]))


def _of_transformers_for(kind: str, task: str) -> nn.Module:
    import transformers

    if kind == "upernet":
        convnext = transformers.ConvNextConfig(**_UPERNET, layer_scale_init_value=1.0)
        sizes = {"hidden_size": 32, "use_auxiliary_head": False}  # only a loss of its own trains an auxiliary head
        config = transformers.UperNetConfig(backbone_config=convnext, num_labels=OUTPUTS[task], **sizes)
        upernet: nn.Module = transformers.UperNetForSemanticSegmentation(config)
        return upernet
    config = transformers.AutoConfig.for_model(kind, num_labels=OUTPUTS[task], **TRANSFORMERS[kind][2])
    auto = "SemanticSegmentation" if task == "segmentation" else "ImageClassification"
    model: nn.Module = getattr(transformers, f"AutoModelFor{auto}").from_config(config)
    return model


def _of_torchvision_for(name: str, task: str) -> nn.Module:
    from torchvision.models import get_model, mobilenet_v3_small, resnet18, segmentation
    from torchvision.models._utils import IntermediateLayerGetter
    from torchvision.models.segmentation.deeplabv3 import DeepLabHead
    from torchvision.models.segmentation.fcn import FCNHead

    if name in {"fcn", "deeplabv3"}:
        backbone = IntermediateLayerGetter(resnet18(), {"layer1": "out"})
        make, head = {"fcn": (segmentation.FCN, FCNHead), "deeplabv3": (segmentation.DeepLabV3, DeepLabHead)}[name]
        dense: nn.Module = make(backbone, head(64, OUTPUTS[task]))
        return dense
    if name == "lraspp":
        stages = IntermediateLayerGetter(mobilenet_v3_small(dilated=True).features, {"1": "low", "12": "high"})
        lraspp: nn.Module = segmentation.LRASPP(stages, low_channels=16, high_channels=576, num_classes=OUTPUTS[task])
        return lraspp
    model: nn.Module = get_model(name, weights=None, num_classes=OUTPUTS[task])
    return model


class _Pixels(nn.Module):
    """Logits of each pixel from the first features of a pyramid, as of a U-Net without its depth."""

    def __init__(self, pyramid: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.pyramid, self.head = pyramid, head

    def forward(self, images: Tensor) -> Tensor:
        logits = self.head(self.pyramid(images)[0])
        return nn.functional.interpolate(logits, images.shape[-2:], mode="bilinear")

"""Tiny real models, healthy and with one planted fault each: what people really do to their models.

Beside this are those with adapters, those between an embedding and a classifier, losses, and checkpoints.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import timm
import torch
from peft import LoraConfig, get_peft_model
from torch import nn

if TYPE_CHECKING:
    from peft import PeftModel
    from torch import Tensor

CLASSES = 3


def base(**kwargs: Any) -> nn.Module:
    """A ViT of two blocks on 32 pixels: 16 patches and a class token."""
    sizes = {"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 2, "num_classes": CLASSES}
    return timm.create_model("vit_tiny_patch16_224", **{**sizes, **kwargs})


def vit(**lora: Any) -> PeftModel:
    """The same with LoRA on qkv and a saved head."""
    settings = {"r": 4, "lora_alpha": 16, "target_modules": ["qkv"], "modules_to_save": ["head"], **lora}
    return get_peft_model(base(), LoraConfig(**settings))


def base_without_zeros() -> nn.Module:
    """One whose values are all large enough for a step to be lost in rounding."""
    model = base()
    for parameter in model.parameters():
        parameter.data[parameter.abs() < 0.01] = 0.01
    return model


def looks_at_its_weights() -> nn.Module:
    """One that cannot be built on the meta device: it takes a number out of a tensor."""
    model = base()
    float(model.head.weight.sum())
    return model


def convnet() -> nn.Module:
    """A convolution, a BatchNorm, a classifier; everything trains."""
    return nn.Sequential(nn.Conv2d(3, 8, 4, stride=4), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(512, 3))


def synced_convnet() -> nn.Module:
    """The same, its BatchNorm over all ranks."""
    return nn.SyncBatchNorm.convert_sync_batchnorm(convnet())


class Attending(nn.Module):
    """A patch embedding, an attention of torch, a head."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 16, 8, 8)
        self.attn = nn.MultiheadAttention(16, 2, batch_first=True)
        self.head = nn.Linear(16, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        tokens = self.patch(inputs).flatten(2).mT
        outputs: Tensor = self.head((tokens + self.attn(tokens, tokens, tokens, need_weights=False)[0]).mean(1))
        return outputs


def multihead() -> PeftModel:
    """An attention of torch with LoRA, which peft merges and unmerges in every forward pass."""
    return get_peft_model(Attending(), LoraConfig(r=2, target_modules=["attn"], modules_to_save=["head"]))


def warns_of_an_argument() -> PeftModel:
    """As a library does that takes any argument: it says what it ignores, and goes on."""
    warnings.warn("the argument 'drop_pth' is ignored", stacklevel=2)
    return vit()


# What trains ---------------------------------------------------------------------------------------


class Scored(nn.Module):
    """A classifier, and a head for another task that runs after it."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head, self.quality = nn.Linear(3072, 16), nn.Linear(16, CLASSES), nn.Linear(16, 1)

    def forward(self, inputs: Tensor) -> dict[str, Tensor]:
        features = self.body(inputs.flatten(1)).relu()
        return {"logits": self.head(features), "quality": self.quality(features)}


class Described(nn.Module):
    """Returns its features in front of its predictions, under names of its own, or as a tuple."""

    def __init__(self, kind: str = "mapping") -> None:
        super().__init__()
        self.kind, self.body, self.head = kind, nn.Linear(3072, 16), nn.Linear(16, CLASSES)

    def forward(self, inputs: Tensor) -> Any:
        features = self.body(inputs.flatten(1)).relu()
        predictions = self.head(features)
        found = {
            "mapping": {"features": features, "pred": predictions},
            "tuple": (features, predictions),
            "one": {"pred": predictions, "loss": None},
        }
        return found[self.kind]


def second_of(output: tuple[Tensor, Tensor]) -> Tensor:
    return output[1]


def one_output() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(3072, 1))


def measured() -> tuple[Tensor, Tensor]:
    """Images with a number each."""
    return torch.randn(6, 3, 32, 32), torch.randn(6) + 1


def labelled(kind: str) -> tuple[Tensor, Tensor]:
    """Images with several labels each, with shares of classes, or with numbers that are neither."""
    targets = {
        "several": torch.tensor([[1.0, 1.0, 0.0]] * 6),
        "shares": torch.tensor([[0.25, 0.5, 0.25]] * 6),
        "numbers": torch.tensor([[2.0, 0.0, -1.0]] * 6),
    }
    return torch.randn(6, 3, 32, 32), targets[kind]


class Listed(nn.Module):
    """Keeps its layers in a list: they compute, and nothing trains, saves or moves them."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = [nn.Linear(3072, 16), nn.Linear(16, 16)]
        self.head = nn.Linear(16, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = inputs.flatten(1)
        for layer in self.layers:
            hidden = layer(hidden).relu()
        outputs: Tensor = self.head(hidden)
        return outputs


def ends_in_softmax() -> nn.Module:
    return nn.Sequential(base(), nn.Softmax(-1))


def ends_in_relu() -> nn.Module:
    return nn.Sequential(base(), nn.ReLU())


def only_the_other_head_trains() -> nn.Module:
    model = Scored()
    model.head.requires_grad_(requires_grad=False)
    return model


def headless() -> nn.Module:
    return base(num_classes=0)


def nothing_trains() -> nn.Module:
    return base().requires_grad_(requires_grad=False)


# What learns ---------------------------------------------------------------------------------------


class RootOfZero(nn.Module):
    """Finite in the forward pass, infinite in the backward pass."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + (inputs - inputs.detach()).abs().sqrt()


def infinite_gradient() -> nn.Module:
    return nn.Sequential(nn.Flatten(), RootOfZero(), nn.Linear(3072, 8), RootOfZero(), nn.Linear(8, CLASSES))


class Scale(nn.Module):
    """Multiplies by a constant: logits far too large."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs * self.factor


def inputs_zeroed() -> nn.Module:
    """A transform that destroys its input: only the class frequencies are left to learn."""
    return nn.Sequential(Scale(0.0), vit())


class Attended(nn.Module):
    """Two biases whose true gradient is zero: a key's, and that of a convolution in front of a normalization."""

    def __init__(self) -> None:
        super().__init__()
        self.patch, self.norm = nn.Conv2d(3, 16, 8, 8), nn.InstanceNorm2d(16)
        self.query, self.key, self.value = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 16)
        self.head = nn.Linear(16, CLASSES)

    def forward(self, inputs: Tensor) -> Tensor:
        tokens = self.norm(self.patch(inputs)).flatten(2).mT
        attended = nn.functional.scaled_dot_product_attention(self.query(tokens), self.key(tokens), self.value(tokens))
        outputs: Tensor = self.head(attended.square().mean(1))
        return outputs


def logits_too_large() -> nn.Module:
    return nn.Sequential(base(), Scale(500.0))


# What is no model, and what is no batch ------------------------------------------------------------


def raises() -> nn.Module:
    raise RuntimeError("the weights are on a disk that is not mounted")


def returns_a_dict() -> dict[str, int]:
    return {"model": 1}


def batch(size: int = 6) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(size, 3, 32, 32, generator=generator), torch.arange(size) % CLASSES


def mapping_batch() -> dict[str, Tensor]:
    inputs, targets = batch()
    return {"pixel_values": inputs, "labels": targets}


class Items(torch.utils.data.Dataset[Any]):
    """Sorted by class, as folders are."""

    def __init__(self, *, mappings: bool = False, classes: int = CLASSES) -> None:
        self.inputs, _ = batch(30)
        self.mappings = mappings
        self.classes = classes

    def __len__(self) -> int:
        return 30

    def __getitem__(self, index: int) -> Any:
        image, label = self.inputs[index], index * self.classes // 30
        return {"image": image, "label": label} if self.mappings else (image, label)


def dataset(*, mappings: bool = False, classes: int = CLASSES) -> Items:
    return Items(mappings=mappings, classes=classes)


def loader() -> torch.utils.data.DataLoader[Any]:
    return torch.utils.data.DataLoader(Items(), batch_size=5, shuffle=True)


def odd_mapping() -> dict[str, Tensor]:
    inputs, _ = batch()
    return {"scan": inputs}

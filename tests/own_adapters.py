"""Adapters that are not peft's, as teams write them, around the tiny ViT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from tests.tiny import base

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

RANK = 4


class InTheLayer(nn.Linear):
    """Factors in the layer itself, as in https://github.com/microsoft/LoRA/blob/main/loralib/layers.py."""

    def __init__(self, inner: nn.Linear) -> None:
        super().__init__(inner.in_features, inner.out_features)
        self.load_state_dict(inner.state_dict())
        self.requires_grad_(requires_grad=False)
        self.lora_A = nn.Parameter(torch.randn(RANK, self.in_features) * 0.02)
        self.lora_B = nn.Parameter(torch.zeros(self.out_features, RANK))
        self.scaling = 2.0

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name that torch gives it
        return super().forward(input) + self.scaling * (input @ self.lora_A.T @ self.lora_B.T)


class ForQueryAndValue(nn.Module):
    """Layers beside the fused one, as in https://github.com/hitachinsk/SAMed/blob/main/sam_lora_image_encoder.py."""

    def __init__(self, inner: nn.Linear) -> None:
        super().__init__()
        width = inner.in_features
        self.qkv = inner.requires_grad_(requires_grad=False)
        self.down = nn.ModuleList(nn.Linear(width, RANK, bias=False) for _ in "qv")
        self.up = nn.ModuleList(nn.Linear(RANK, width, bias=False) for _ in "qv")
        for layer in self.up:
            nn.init.zeros_(layer.weight)

    def forward(self, inputs: Tensor) -> Tensor:
        query, value = (up(down(inputs)) for up, down in zip(self.up, self.down, strict=True))
        update: Tensor = torch.cat([query, torch.zeros_like(query), value], -1)
        return self.qkv(inputs) + update


class OfTheWeight(nn.Module):
    """A parametrization of the weight."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(RANK, columns) * 0.02)
        self.up = nn.Parameter(torch.zeros(rows, RANK))

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.up @ self.down


class Bottleneck(nn.Module):
    """A residual adapter behind a layer, https://arxiv.org/abs/1902.00751: it has its own nonlinearity."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.adapter_down, self.adapter_up = nn.Linear(48, RANK), nn.Linear(RANK, 48)
        nn.init.zeros_(self.adapter_up.weight)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.inner(inputs)
        outputs: Tensor = hidden + self.adapter_up(self.adapter_down(hidden).relu())
        return outputs


def _adapted(wrap: Callable[[nn.Linear], nn.Module]) -> nn.Module:
    model: Any = base().requires_grad_(requires_grad=False)
    model.head.requires_grad_()
    for block in model.blocks:
        block.attn.qkv = wrap(block.attn.qkv)
    return model


def in_the_layer() -> nn.Module:
    return _adapted(InTheLayer)


def for_query_and_value() -> nn.Module:
    return _adapted(ForQueryAndValue)


def of_the_weight() -> nn.Module:
    def parametrized(inner: nn.Linear) -> nn.Module:
        nn.utils.parametrize.register_parametrization(inner, "weight", OfTheWeight(*inner.weight.shape))
        return inner

    return _adapted(parametrized)


def behind_the_mlp() -> nn.Module:
    model: Any = base().requires_grad_(requires_grad=False)
    model.head.requires_grad_()
    for block in model.blocks:
        block.mlp = Bottleneck(block.mlp)
    return model


def in_one_layer_of_two() -> nn.Module:
    """A loop over the blocks that ends too early."""
    model: Any = base().requires_grad_(requires_grad=False)
    model.head.requires_grad_()
    model.blocks[0].attn.qkv = InTheLayer(model.blocks[0].attn.qkv)
    return model


def never_called() -> nn.Module:
    """The update is computed and thrown away."""

    class Forgetful(InTheLayer):
        def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name that torch gives it
            super().forward(input)
            return nn.functional.linear(input, self.weight, self.bias)

    return _adapted(Forgetful)


def partly_frozen() -> nn.Module:
    """No adapter: all but the last block is frozen."""
    model: Any = base().requires_grad_(requires_grad=False)
    model.head.requires_grad_()
    model.blocks[1].requires_grad_()
    return model


class Prompted(nn.Module):
    """An encoder with a LoRA of its own and a decoder of masks that needs arguments, and returns them at two sizes.

    As in https://github.com/hitachinsk/SAMed/blob/main/segment_anything/modeling/sam.py.
    """

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 32, 4, 4).requires_grad_(requires_grad=False)
        self.blocks = nn.Sequential(*(ForQueryAndValue(nn.Linear(32, 96)) for _ in range(2)))
        self.mix = nn.Linear(96, 32).requires_grad_(requires_grad=False)
        self.mask = nn.Conv2d(32, classes, 1)

    def forward(self, images: Tensor, many: bool, scale: float) -> dict[str, Tensor]:  # noqa: FBT001 - as it is found
        features = self.patches(images)
        tokens = features.flatten(2).mT
        for block in self.blocks:
            tokens = tokens + self.mix(block(tokens)).relu()
        logits = self.mask(tokens.mT.reshape(features.shape)) * scale
        low = logits if many else logits[:, :1]
        return {"masks": nn.functional.interpolate(low, images.shape[-2:]), "quality": low.mean((2, 3)), "low": low}


def images_and_masks(count: int = 4) -> dict[str, Tensor]:
    """Images, and masks at a quarter of their size that follow from them."""
    images = torch.randn(count, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    low = nn.functional.avg_pool2d(images, 4)
    return {"image": images, "low": low.argmax(1), "scale": torch.ones(count, 1)}


def of_all_outputs(outputs: dict[str, Tensor], targets: Tensor) -> Tensor:
    return nn.functional.cross_entropy(outputs["low"], targets)

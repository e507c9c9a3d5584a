"""What the scripts share: a small ViT and forty random images."""

from __future__ import annotations

import timm
import torch
from torch import nn
from torch.utils.data import TensorDataset


def small_vit(**kwargs: object) -> nn.Module:
    return timm.create_model(
        "vit_tiny_patch16_224", num_classes=5, img_size=32, depth=2, embed_dim=48, num_heads=3, **kwargs
    )


def data(count: int = 40) -> TensorDataset:
    return TensorDataset(torch.randn(count, 3, 32, 32), torch.arange(count) % 5)

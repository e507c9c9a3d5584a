"""What the scripts share: a small ViT, a smaller net, and forty random images."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import TensorDataset


def small_vit(**kwargs: object) -> nn.Module:
    import timm

    return timm.create_model(
        "vit_tiny_patch16_224", num_classes=5, img_size=32, depth=2, embed_dim=48, num_heads=3, **kwargs
    )


def small_net() -> nn.Module:
    """Return one for scripts that start often: without the import of timm, which takes a second."""
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 16), nn.GELU(), nn.Linear(16, 5))


def data(count: int = 40) -> TensorDataset:
    return TensorDataset(torch.randn(count, 3, 32, 32), torch.arange(count) % 5)

"""Loaders of a user's training, and models with other outputs than classes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset

IMAGES = 7


class Named(Dataset[dict[str, Any]]):
    """Grey images whose shade is their number; an item says what it is called, and whose it is."""

    def __init__(self, *, label: str = "class", names: str = "unlike") -> None:
        self.label, self.names = label, names

    def __len__(self) -> int:
        return IMAGES

    def __getitem__(self, index: int) -> dict[str, Any]:
        truths: dict[str, Any] = {
            "class": index % 3,
            "labels": torch.tensor([index % 2, index % 3 == 0, 1]).float(),
            "value": index + 0.25,
        }
        named = {"unlike": {"id": f"eye_{index}"}, "alike": {"id": "eye"}, "none": {}}[self.names]
        about = {"patient": f"P{index // 2}", "camera": "A" if index % 2 else "B"}
        return {"image": torch.full((3, 8, 8), index / 10), "label": truths[self.label], **named, **about}


class Listed(Dataset[tuple[torch.Tensor, int]]):
    """Images of the folder that the environment names, which the dataset lists as torchvision does."""

    def __init__(self) -> None:
        folder = Path(os.environ["OWN_IMAGES"])
        self.samples = [(str(path), number % 3) for number, path in enumerate(sorted(folder.rglob("*.png")))]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        path, label = self.samples[index]
        with Image.open(path) as image:
            return torch.full((3, 8, 8), image.getpixel((0, 0))[0] / 255), label  # type: ignore[index]


class Mean(nn.Module):
    """The mean of an image, so many times."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(outputs))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (images, outputs)."""
        return images.mean(dim=(1, 2, 3), keepdim=False).unsqueeze(1) * self.weight


def mean(outputs: int = 1) -> nn.Module:
    """A factory of the model."""
    return Mean(outputs)


def shuffled() -> DataLoader[Any]:
    """It repeats none and leaves two out: a shuffle and `drop_last`."""
    return DataLoader(Named(), batch_size=5, shuffle=True, drop_last=True)


def labels() -> DataLoader[Any]:
    """Three labels an image."""
    return DataLoader(Named(label="labels"), batch_size=4)


def values() -> DataLoader[Any]:
    """A value an image."""
    return DataLoader(Named(label="value"), batch_size=4)


def nameless() -> DataLoader[Any]:
    """Neither a batch nor the dataset says what the images are."""
    return DataLoader(Named(names="none"), batch_size=4)


def alike() -> DataLoader[Any]:
    """All images have one name."""
    return DataLoader(Named(names="alike"), batch_size=4)


def listed() -> DataLoader[Any]:
    """Files that the dataset lists."""
    return DataLoader(Listed(), batch_size=2)


def triples() -> list[tuple[torch.Tensor, torch.Tensor, tuple[str, ...]]]:
    """Batches of inputs, targets and names, without a DataLoader."""
    return [(torch.rand(2, 3, 8, 8), torch.tensor([0, 1]), (f"{batch}a", f"{batch}b")) for batch in range(2)]

"""A model whose classes are colours."""

from __future__ import annotations

import os

import torch
from torch import nn

CLASSES = 3


class Colours(nn.Module):
    """Its logits are the means of the three channels, and a bias per class that can be trained."""

    def __init__(self, scale: float = 8.0) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(CLASSES))
        self.scale = scale
        self.dropout = nn.Dropout(0.9)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits (images, 3); in train mode most of them are dropped."""
        means: torch.Tensor = self.dropout(self.scale * images.mean(dim=(2, 3))) + self.bias
        return means


def colours(scale: float = 8.0) -> nn.Module:
    """A factory of the model; a line per call is in a file beside the spec, if the environment names it."""
    if path := os.environ.get("COUNTED"):
        with open(path, "a", encoding="utf-8") as stream:  # noqa: PTH123 - appended to
            stream.write("built\n")
    return Colours(scale)

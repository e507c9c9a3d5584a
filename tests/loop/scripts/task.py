"""A module around the model that holds its loss and an average of it, and a validation of the model alone."""

from __future__ import annotations

from copy import deepcopy

import torch
from parts import data, small_vit
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader


class Task(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.average = deepcopy(model).eval()

    def forward(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(self.model(images), labels)

    @torch.no_grad()
    def update(self) -> None:
        for mean, parameter in zip(self.average.parameters(), self.model.parameters(), strict=True):
            mean.lerp_(parameter, 0.1)


def main() -> None:
    torch.manual_seed(0)
    model = small_vit(proj_drop_rate=0.1)
    task = Task(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)
    for _epoch in range(20):
        model.train()
        for images, labels in DataLoader(data(), batch_size=4, shuffle=True):
            optimizer.zero_grad()
            task(images, labels).backward()
            optimizer.step()
            task.update()
        model.eval()
        with torch.inference_mode():
            model(images)


if __name__ == "__main__":
    main()

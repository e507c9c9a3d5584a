"""Gradients zeroed on purpose: `--climb` moves the weights by them, `--overflow` skips them, `--twice` adds them."""

from __future__ import annotations

import sys

import torch
from parts import data, small_vit
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader


class Twice(torch.optim.SGD):
    """Learns from two backward passes at the same weights."""

    @torch.no_grad()
    def step(self, closure):
        closure()
        parameters = self.param_groups[0]["params"]
        first = [parameter.grad.clone() for parameter in parameters]
        closure()
        for parameter, gradient in zip(parameters, first, strict=True):
            parameter.grad.add_(gradient)
        super().step()


@torch.no_grad()
def climb(model: nn.Module) -> list[torch.Tensor]:
    """Move the weights up the gradient, and return by how much."""
    moves = [0.01 * parameter.grad for parameter in model.parameters()]
    for parameter, move in zip(model.parameters(), moves, strict=True):
        parameter.add_(move)
    return moves


def main() -> None:
    torch.manual_seed(0)
    model = small_vit()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    scale = 1e38 if "--overflow" in sys.argv else 1.0
    scaler = torch.amp.GradScaler("cpu", init_scale=scale, backoff_factor=1e-4)
    twice = Twice(model.parameters(), lr=0.05)
    for images, labels in DataLoader(data(), batch_size=4, shuffle=True):

        @torch.enable_grad()
        def closure(images=images, labels=labels):
            twice.zero_grad()
            functional.cross_entropy(model(images), labels).backward()

        if "--twice" in sys.argv:
            twice.step(closure)
            continue
        scaler.scale(functional.cross_entropy(model(images), labels)).backward()
        if "--climb" in sys.argv:
            moves = climb(model)
            optimizer.zero_grad()
            functional.cross_entropy(model(images), labels).backward()
            with torch.no_grad():
                for parameter, move in zip(model.parameters(), moves, strict=True):
                    parameter.sub_(move)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()


if __name__ == "__main__":
    main()

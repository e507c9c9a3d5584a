"""Layer-wise decay of the rate under a warm-up from zero; arguments name the optimizer, and what is wrong."""

import sys

import torch
from parts import data
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader

CHOSEN = frozenset(sys.argv[1:])


class Net(nn.Module):
    """Its lowest layer gets a thousandth of the rate of the one above it."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(3 * 32 * 32)
        self.body = nn.Linear(3 * 32 * 32, 16)
        self.head = nn.Linear(16, 5)

    def forward(self, images: Tensor) -> Tensor:
        hidden = self.norm(images.flatten(1))
        if "detached" in CHOSEN:
            hidden = hidden.detach()
        logits: Tensor = self.head(functional.gelu(self.body(hidden)))
        return logits


def main() -> None:
    torch.manual_seed(0)
    model = Net()
    base = 1e-2 if "sgd" in CHOSEN else 1e-3
    groups = [
        {"params": model.norm.parameters(), "lr": 0.0 if "idle" in CHOSEN else base * 1e-3},
        {"params": [*model.body.parameters(), *model.head.parameters()]},
    ]
    optimizer = torch.optim.SGD(groups, lr=base) if "sgd" in CHOSEN else torch.optim.AdamW(groups, lr=base)
    scheduler = LambdaLR(optimizer, lambda step: 1.0 if "constant" in CHOSEN else min(1.0, step / 1000))
    for _epoch in range(10):
        for images, labels in DataLoader(data(), batch_size=4, shuffle=True):
            optimizer.zero_grad()
            functional.cross_entropy(model(images), labels).backward()
            optimizer.step()
            scheduler.step()


if __name__ == "__main__":
    main()

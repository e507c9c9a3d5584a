"""A convolutional network with frozen normalization in eval mode, on purpose, and gradient checkpointing."""

import torch
from parts import data
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU())
        self.body = nn.Sequential(nn.Conv2d(8, 16, 3, 2), nn.Dropout(0.1), nn.ReLU())
        self.head = nn.Linear(16, 5)

    def train(self, mode: bool = True) -> nn.Module:
        super().train(mode)
        self.stem[1].eval()
        return self

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = checkpoint(self.body, self.stem(images), use_reentrant=True)
        return self.head(features.mean((2, 3)))


def main() -> None:
    torch.manual_seed(0)
    model = Net().train()
    model.stem[1].requires_grad_(False)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1, momentum=0.9)
    for _epoch in range(10):
        for images, labels in DataLoader(data(), batch_size=4, shuffle=True):
            optimizer.zero_grad(set_to_none=False)
            functional.cross_entropy(model(images), labels).backward()
            optimizer.step()


if __name__ == "__main__":
    main()

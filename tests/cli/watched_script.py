"""The training that `retspec watch` runs in tests, and lines of it that they replace."""

from __future__ import annotations

TRAIN = """\
import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def main(epochs=50):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(TensorDataset(torch.randn(40, 6), torch.arange(40) % 3), batch_size=4, shuffle=True)
    for epoch in range(epochs):
        for inputs, labels in loader:
            loss = nn.functional.cross_entropy(model(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()
"""
SEED, STEP = "    torch.manual_seed(0)\n", "            optimizer.step()\n"

"""A loop over loaders that the command line names: functions of `tests.feeds`, for training and for validation."""

from __future__ import annotations

import sys

import torch
from torch import nn
from torch.nn import functional

from tests import feeds


def main() -> None:
    train, *val = (getattr(feeds, name)() for name in sys.argv[1:])
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    while True:
        model.train()
        for inputs, targets in train:
            loss = functional.cross_entropy(model(inputs), targets.clamp(0, 2))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            for loader in val:
                for inputs, _ in loader:
                    model(inputs)


if __name__ == "__main__":
    main()

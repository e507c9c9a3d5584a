"""A loop whose criterion, and what comes before it, the command line names."""

from __future__ import annotations

import sys

import torch
from timm.loss import LabelSmoothingCrossEntropy, SoftTargetCrossEntropy
from torch import Tensor, nn
from torch.nn import functional


class Dice(nn.Module):
    """Wants probabilities."""

    def forward(self, probabilities: Tensor, targets: Tensor) -> Tensor:
        return 1 - 2 * (probabilities * targets).sum() / (probabilities.sum() + targets.sum())


class ByKeyword(nn.Module):
    """Takes a softmax, as a method, of what it is given by keywords."""

    def forward(self, *, scores: Tensor, truth: Tensor) -> Tensor:
        return -(scores.log_softmax(-1) * truth).sum(-1).mean()


CRITERIA = {
    "smoothed": LabelSmoothingCrossEntropy(),
    "soft": SoftTargetCrossEntropy(),
    "nll": nn.NLLLoss(),
    "bce": nn.BCELoss(),
    "dice": Dice(),
}
BEFORE = {
    "nothing": nn.Identity(),
    "softmax": nn.Softmax(1),
    "log_softmax": nn.LogSoftmax(1),
    "sigmoid": nn.Sigmoid(),
}


def main() -> None:
    name, before = sys.argv[1:]
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3), BEFORE[before])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    while True:
        targets = torch.randint(0, 3, (4,))
        if name not in {"smoothed", "nll"}:
            targets = functional.one_hot(targets, 3).float()
        outputs = model(torch.randn(4, 6))
        loss = ByKeyword()(scores=outputs, truth=targets) if name == "keywords" else CRITERIA[name](outputs, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


if __name__ == "__main__":
    main()

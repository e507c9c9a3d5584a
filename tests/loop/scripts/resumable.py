"""A loop that saves after each epoch, and goes on from there; each option leaves out one thing that it needs."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import torch
from parts import data, small_net
from torch.nn import functional
from torch.utils.data import DataLoader

# The runs that belong together have the same parent.
CHECKPOINT = Path(tempfile.gettempdir()) / f"resumable-{os.getppid()}.pt"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, required=True)
    for option in ("--save", "--resume", "--seedless", "--forget-optimizer", "--forget-schedule", "--forget-order"):
        parser.add_argument(option, action="store_true")
    arguments = parser.parse_args()
    if not arguments.seedless:
        torch.manual_seed(0)
    model = small_net()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
    images, start = data(), 0
    if arguments.resume:
        saved = torch.load(CHECKPOINT)
        model.load_state_dict(saved["model"])
        start = saved["epoch"]
        if not arguments.forget_optimizer:
            optimizer.load_state_dict(saved["optimizer"])
        if not arguments.forget_schedule:
            scheduler.load_state_dict(saved["scheduler"])
    for epoch in range(start, arguments.epochs):
        order = None
        if not arguments.seedless:
            order = torch.Generator().manual_seed(epoch - start if arguments.forget_order else epoch)
        for inputs, targets in DataLoader(images, batch_size=10, shuffle=True, generator=order):
            optimizer.zero_grad()
            functional.cross_entropy(model(inputs), targets).backward()
            optimizer.step()
            scheduler.step()
        if arguments.save:
            states = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
            torch.save({name: each.state_dict() for name, each in states.items()} | {"epoch": epoch + 1}, CHECKPOINT)


if __name__ == "__main__":
    main()

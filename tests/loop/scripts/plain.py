"""A loop with accumulation, clipping, a schedule, an average of the weights, and an evaluation per epoch."""

from __future__ import annotations

import sys

import torch
from parts import data, small_vit
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader


def main() -> None:
    torch.manual_seed(0)
    model = small_vit()
    average = AveragedModel(model)
    decayed = [p for p in model.parameters() if p.dim() > 1]
    spared = [p for p in model.parameters() if p.dim() <= 1]
    optimizer = torch.optim.AdamW([{"params": decayed}, {"params": spared, "weight_decay": 0.0}], lr=1e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 100)
    scaler = torch.amp.GradScaler("cpu", enabled="--scale" in sys.argv)
    for _epoch in range(20):
        model.train()
        for index, (images, labels) in enumerate(DataLoader(data(), batch_size=4, shuffle=True)):
            with torch.autocast("cpu", torch.bfloat16, enabled="--amp" in sys.argv):
                loss = functional.cross_entropy(model(images), labels) / 2
            scaler.scale(loss).backward()
            if index % 2:
                scaler.unscale_(optimizer)
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                scaler.step(optimizer)
                scaler.update()
                optimizer.zero_grad()
                scheduler.step()
                average.update_parameters(model)
        model.eval()
        with torch.no_grad():
            model(images)


if __name__ == "__main__":
    main()

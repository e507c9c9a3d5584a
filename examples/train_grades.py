"""Train a small network to grade drawn eyes: an ordinary training script, which knows nothing of retspec."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import timm
import torch
from PIL import Image
from timm.data import create_transform, resolve_data_config
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

CLASSES = 5
INPUT = {"input_size": (3, 64, 64), "crop_pct": 1.0}
"""The model states how its images are prepared: here, and where it is evaluated."""


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of train.csv and images")
    parser.add_argument("output", type=Path, help="file for the weights")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


class Eyes(Dataset):
    """The images of a table, decoded once."""

    def __init__(self, folder: Path, table: str, model: nn.Module) -> None:
        transform = create_transform(**resolve_data_config({}, model=model))
        with (folder / table).open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        self.images = [transform(Image.open(folder / "images" / row["image"]).convert("RGB")) for row in rows]
        self.grades = [int(row["grade"]) for row in rows]

    def __len__(self) -> int:
        return len(self.grades)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        image = self.images[index]
        return (image.flip(2) if torch.rand(()) < 0.5 else image), self.grades[index]  # noqa: PLR2004 - a coin


def main() -> None:
    args = parse()
    torch.manual_seed(args.seed)
    model = timm.create_model("test_resnet", num_classes=CLASSES, pretrained_cfg_overlay=INPUT)
    loader = DataLoader(Eyes(args.data, "train.csv", model), args.batch_size, shuffle=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.lr, total_steps=args.epochs * len(loader))
    for epoch in range(args.epochs):
        model.train()
        total = 0.0
        for images, grades in loader:
            loss = functional.cross_entropy(model(images), grades)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total / len(loader):.3f}")
    args.output.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), args.output)


if __name__ == "__main__":
    main()

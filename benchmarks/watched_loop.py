"""The training that `watch_overhead.py` runs, bare and watched: AdamW, on a new batch of noise in each step."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
import timm
import torch
from torch.nn import functional

CLASSES = 5
BATCH = 8
MODELS: dict[str, dict[str, Any]] = {
    "ViT-S/16": {"model_name": "vit_small_patch16_224", "img_size": 64},
    "two blocks": {
        "model_name": "vit_tiny_patch16_224",
        "img_size": 32,
        "patch_size": 8,
        "embed_dim": 48,
        "depth": 2,
        "num_heads": 2,
    },
}
"""Arguments of `timm.create_model`."""


@click.command(help=__doc__)
@click.argument("model", type=click.Choice([*MODELS]))
@click.argument("steps", type=int)
@click.argument("result", type=click.Path(dir_okay=False, path_type=Path))
def main(model: str, steps: int, result: Path) -> None:
    """Train, and write the CPU seconds of the steps to a file: those of all threads, without imports and model."""
    torch.manual_seed(0)
    net = timm.create_model(**MODELS[model], num_classes=CLASSES)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4)
    started = time.process_time()
    try:
        for _ in range(steps):
            train(net, optimizer, MODELS[model]["img_size"])
    finally:  # a watched training ends by an exception, after what was noted has become facts
        result.write_text(str(time.process_time() - started))


def train(net: torch.nn.Module, optimizer: torch.optim.Optimizer, side: int) -> None:
    """Take a step."""
    images, labels = torch.randn(BATCH, 3, side, side), torch.randint(CLASSES, (BATCH,))
    optimizer.zero_grad()
    functional.cross_entropy(net(images), labels).backward()
    optimizer.step()


if __name__ == "__main__":
    main()

"""The same work, written without retspec: 20 steps of LoRA training, then the merge comparison.

Usage: python benchmarks/plain_loop.py MODEL [STEPS]
"""

from __future__ import annotations

import sys

import timm
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor
from torch.nn.functional import cross_entropy

BATCH, CLASSES = 4, 5


def build(name: str) -> PeftModel:
    """Return the model of specs/lora_preflight.yaml, under another timm name."""
    base = timm.create_model(name, num_classes=CLASSES, global_pool="avg")
    return get_peft_model(
        base, LoraConfig(r=8, lora_alpha=32, target_modules=["qkv"], modules_to_save=["head"], lora_dropout=0.0)
    )


def train(model: PeftModel, images: Tensor, labels: Tensor, steps: int) -> list[float]:
    """Take steps on one batch and return their losses."""
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3, weight_decay=0.0)
    model.train()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = cross_entropy(model(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    return losses


@torch.no_grad()
def compare_merged(model: PeftModel, images: Tensor) -> list[float]:
    """Return how far the outputs of the adapter merged, unmerged and disabled are from those of it at work."""
    model.eval()
    adapted = model(images)
    with model.disable_adapter():
        disabled = model(images)
    model.merge_adapter()
    merged = model(images)
    model.unmerge_adapter()
    unmerged = model(images)
    return [float((adapted - other).abs().max()) for other in (merged, unmerged, disabled)]


def main() -> None:
    """Do everything and print the results, so that all of the work is used."""
    torch.manual_seed(42)
    name, steps = [*sys.argv[1:], "20"][:2]
    model = build(name)
    images, labels = torch.randn(BATCH, 3, 224, 224), torch.arange(BATCH) % CLASSES
    losses = train(model, images, labels, int(steps))
    print(f"loss {losses[0]:.3f} to {losses[-1]:.3f}")
    print("merged {:.1e}, unmerged {:.1e}, disabled {:.1e}".format(*compare_merged(model, images)))


if __name__ == "__main__":
    main()

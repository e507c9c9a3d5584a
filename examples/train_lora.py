"""Fine-tune a small vision transformer with LoRA: an ordinary training script, which knows nothing of retspec."""

from __future__ import annotations

import argparse

import timm
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

CLASSES = 5


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--lr", type=float, default=1e-2)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--accumulation", type=int, default=2, help="batches per optimizer step")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def images(count: int) -> TensorDataset:
    """Noise on a grey that tells the class."""
    labels = torch.arange(count) % CLASSES
    return TensorDataset(torch.randn(count, 3, 32, 32) * 0.5 + (labels - 2).view(-1, 1, 1, 1) * 0.5, labels)


def build() -> nn.Module:
    size = {"img_size": 32, "patch_size": 8, "depth": 3, "embed_dim": 48, "num_heads": 3}
    vit = timm.create_model("vit_tiny_patch16_224", num_classes=CLASSES, drop_path_rate=0.1, **size)
    return get_peft_model(vit, LoraConfig(r=4, lora_alpha=8, target_modules=["qkv"], modules_to_save=["head"]))


def validate(model: nn.Module, loader: DataLoader) -> float:
    model.eval()
    with torch.no_grad():
        hits = [(model(inputs).argmax(1) == labels).float().mean() for inputs, labels in loader]
    return torch.stack(hits).mean().item()


def main() -> None:
    args = parse()
    torch.manual_seed(args.seed)
    train_loader = DataLoader(images(80), args.batch_size, shuffle=True)
    val_loader = DataLoader(images(20), args.batch_size)
    model = build()
    adapter = [p for name, p in model.named_parameters() if "lora_" in name]
    head = [p for name, p in model.named_parameters() if "head" in name and p.requires_grad]
    groups = [{"params": adapter}, {"params": head, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=args.lr, weight_decay=0.05)
    steps = args.epochs * len(train_loader) // args.accumulation
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for epoch in range(args.epochs):
        model.train()
        for index, (inputs, labels) in enumerate(train_loader, 1):
            logits = model(inputs)
            loss = functional.cross_entropy(logits, labels) / args.accumulation
            loss.backward()
            if index % args.accumulation == 0:
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()
                scheduler.step()
        print(f"epoch {epoch}: loss {loss.item() * args.accumulation:.3f}, accuracy {validate(model, val_loader):.2f}")


if __name__ == "__main__":
    main()

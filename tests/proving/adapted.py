"""A small net that peft adapts, trained by a loop as people write it; words of the command line change what it does."""

from __future__ import annotations

import sys

import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

CLASSES, WIDTH = 5, 32
WORDS = frozenset(sys.argv[1:])


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features + self.second(functional.gelu(self.first(features)))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(3 * 8 * 8, WIDTH)
        self.blocks = nn.ModuleList([Block(), Block()])
        self.norm = nn.BatchNorm1d(WIDTH)
        self.head = nn.Linear(WIDTH, CLASSES)

    def train(self, mode: bool = True) -> Net:  # noqa: FBT001, FBT002 - as torch has it
        super().train(mode)
        self.norm.eval()  # frozen, as the base is
        return self

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.embed(images.flatten(1))
        for block in self.blocks:
            features = block(features)
        return self.head(self.norm(features))


class Task(nn.Module):
    """Computes the loss, and has a parameter of its own."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model, self.scale = model, nn.Parameter(torch.ones(()))

    def forward(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(self.model(images), labels) * self.scale


def data(count: int = 80) -> TensorDataset:
    """Return noise on a grey that tells the class."""
    labels = torch.arange(count) % CLASSES
    return TensorDataset(torch.randn(count, 3, 8, 8) * 0.3 + (labels - 2).view(-1, 1, 1, 1) * 0.5, labels)


def build() -> nn.Module:
    model = Net()
    if "bare" in WORDS:
        return model
    config = LoraConfig(r=4, lora_alpha=8, target_modules=["first", "second"], modules_to_save=["head"])
    wrapped = get_peft_model(model, config)
    if "again" in WORDS:  # what trains is chosen by name after wrapping, and what was saved is loaded
        for name, parameter in wrapped.named_parameters():
            parameter.requires_grad = "lora_" in name or "modules_to_save" in name
        wrapped.load_state_dict({name: torch.ones_like(tensor) * 0.01 for name, tensor in wrapped.state_dict().items()})
    return wrapped.to(torch.float32)


def main() -> None:
    torch.manual_seed(0)
    model = build()
    task = Task(model) if "task" in WORDS else None
    called = torch.compile(model, backend="aot_eager") if "compiled" in WORDS else model
    trained = (p for p in (task or model).parameters() if p.requires_grad)
    if "by-hand" in WORDS:
        for images, labels in DataLoader(data(), batch_size=8):
            functional.cross_entropy(model(images), labels).backward()
        return
    try:
        optimizer = torch.optim.AdamW(trained, lr=1e-2)
    except Exception as error:  # noqa: BLE001 - a script that would hide what a fault raises
        sys.exit(f"no optimizer: {error}")
    for _epoch in range(20):
        (task or model).train()
        for images, labels in DataLoader(data(), batch_size=8, shuffle=True):
            loss = functional.cross_entropy(called(images), labels) if task is None else task(images, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main()

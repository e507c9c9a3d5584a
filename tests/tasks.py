"""Tiny healthy models and batches of every task, and what people do to them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor


def flat(outputs: int = 1, size: int = 192) -> nn.Module:
    """Outputs for the whole image."""
    return nn.Sequential(nn.Flatten(), nn.Linear(size, 64), nn.ReLU(), nn.Linear(64, outputs))


def number() -> nn.Module:
    """One output without a dimension of its own."""
    return nn.Sequential(flat(), nn.Flatten(0))


def pixels(outputs: int = 3, channels: int = 3) -> nn.Module:
    """An output for each pixel."""
    return nn.Sequential(nn.Conv2d(channels, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, outputs, 1))


def voxels(outputs: int = 3) -> nn.Module:
    """An output for each voxel of a volume of one channel."""
    return nn.Sequential(nn.Conv3d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv3d(16, outputs, 1))


def autoencoder() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 3, 1))


class Volume(nn.Module):
    """Cuts a volume of one channel into patches of 4 x 8 x 8 voxels."""

    def __init__(self) -> None:
        super().__init__()
        self.proj, self.head = nn.Conv3d(1, 16, (4, 8, 8), (4, 8, 8)), nn.Linear(16, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.head(self.proj(inputs).flatten(2).mT.mean(1))
        return outputs


def volume() -> nn.Module:
    return Volume()


def images(count: int = 8) -> Tensor:
    return torch.randn(count, 3, 8, 8, generator=torch.Generator().manual_seed(0))


TARGETS = {
    "labels": (torch.rand(8, 5, generator=torch.Generator().manual_seed(1)) > 0.5).float(),
    "zero or one": torch.arange(8) % 2,
    "zero or one, as numbers": (torch.arange(8) % 2).float(),
    "zero or one, as a column": (torch.arange(8) % 2).float()[:, None],
    "grades": torch.arange(8) % 4,
    "ages": torch.linspace(30.0, 80.0, 8),
    "ages as a column": torch.linspace(30.0, 80.0, 8)[:, None],
    "equal": torch.full((8,), 3.0),
    "pairs": torch.stack([torch.linspace(0.0, 1e-3, 8), torch.linspace(50.0, 20.0, 8)], 1),
    "shares": torch.tensor([[0.2, 0.8, 0.0, 0.0, 0.0]]).repeat(8, 1),
}


def batch(kind: str) -> tuple[Tensor, Tensor]:
    """Images, and targets of a kind; a mask follows from its image."""
    inputs = images()
    bright = inputs[:, 0] > 0
    masks = {
        "mask": bright.long() + (inputs[:, 1] > 0),
        "mask with a border": (bright.long() + (inputs[:, 1] > 0)).index_fill(1, torch.tensor([0, 7]), -100),
        "binary mask": bright.long(),
        "mask channels": torch.stack([bright, inputs[:, 1] > 0], 1).float(),
        "small mask": bright.long()[:, ::2, ::2],
    }
    return inputs, (masks | TARGETS)[kind]


def squared(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.mse_loss(outputs.squeeze(1), targets.float())


def thresholds(outputs: Tensor, targets: Tensor) -> Tensor:
    """Grades as the thresholds that they pass: https://arxiv.org/abs/1901.07884."""
    passed = targets[:, None] > torch.arange(outputs.shape[1], device=targets.device)
    return functional.binary_cross_entropy_with_logits(outputs, passed.to(outputs.dtype))


def reversed_classes(outputs: Tensor, targets: Tensor) -> Tensor:
    """A loss for which the smallest output is the answer."""
    return functional.cross_entropy(-outputs, targets)


def cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(outputs, targets)


def tiny(outputs: Tensor, targets: Tensor) -> Tensor:
    """A loss in a small unit: low before the first step."""
    return functional.cross_entropy(outputs, targets) * 1e-3


def below_zero(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(outputs, targets) - 2


def two_heads(logits: tuple[Tensor, Tensor], targets: Tensor) -> Tensor:
    return sum(functional.cross_entropy(each, targets) for each in logits) / 2  # type: ignore[return-value]


def both_heads(outputs: tuple[Tensor, Tensor], targets: Tensor) -> Tensor:
    return two_heads(outputs, targets)


class TwoHeads(nn.Module):
    """Returns what each of two heads says."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.one, self.other = nn.Linear(192, 32), nn.Linear(32, 4), nn.Linear(32, 4)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.body(inputs.flatten(1)).relu()
        return self.one(hidden), self.other(hidden)


class TwoEyes(nn.Module):
    """Takes both eyes and a table, in this order or by name."""

    def __init__(self, outputs: int = 4) -> None:
        super().__init__()
        self.eye, self.ages = nn.Sequential(nn.Flatten(), nn.Linear(192, 32)), nn.Embedding(100, 8)
        self.head = nn.Linear(72, outputs)

    def forward(self, left: Tensor, right: Tensor, table: Tensor) -> Tensor:
        assert table.dtype == torch.long
        assert left.shape[1:] == (3, 8, 8)
        outputs: Tensor = self.head(torch.cat([self.eye(left).relu(), self.eye(right).relu(), self.ages(table)], 1))
        return outputs


def eyes(form: str = "mapping") -> Any:
    """A batch of two eyes, an age and a grade each, in one of the forms that people give it."""
    left, right, age, grade = images(), images().flip(0), torch.arange(8) * 9, torch.arange(8) % 4
    return {
        "mapping": {"od": left, "os": right, "age": age, "grade": grade},
        "nested": ((left, right, age), grade),
        "flat": (left, right, age, grade),
        "record": SimpleNamespace(od=left, os=right, age=age, grade=grade),
        "named": {"inputs": {"left": left, "right": right, "table": age}, "grade": grade},
        "uneven": (left, right[:4], age, grade),
        "file names": (left, "a.png", age, grade),
        "large": (left, right, age + 2**25, grade),
    }[form]


class Eyes(torch.utils.data.Dataset[Any]):
    """The same, item by item."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {key: value[index] for key, value in eyes().items()}


def loader() -> torch.utils.data.DataLoader[Any]:
    return torch.utils.data.DataLoader(Eyes(), batch_size=8)


def step(model: nn.Module, batch: Any) -> dict[str, Tensor]:
    """A forward pass as the user writes it."""
    (left, right, table), grades = batch
    logits = model(left, right, table)
    return {"loss": functional.cross_entropy(logits, grades), "outputs": logits}


class GradeAndMask(nn.Module):
    """Two heads: the grade of an image, and a mask of its pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 8, 3, padding=1)
        self.grade, self.mask = nn.Linear(8, 3), nn.Conv2d(8, 1, 1)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        features = self.body(images).relu()
        return {"grade": self.grade(features.mean((2, 3))), "mask": self.mask(features)}


def graded_masks(form: str) -> Any:
    """Return images with grades and masks, (8, 3, 8, 8), (8,) and (8, 1, 8, 8)."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(8, 3, 8, 8, generator=generator)
    targets = {"grade": torch.arange(8) % 3, "mask": (images[:, :1] > 0).float()}
    return (images, targets) if form == "pair" else {"image": images, **targets}


def graded(output: dict[str, Tensor], target: dict[str, Tensor]) -> Tensor:
    assert target["grade"].dtype == torch.int64
    return nn.functional.cross_entropy(output["grade"], target["grade"]) + (
        nn.functional.binary_cross_entropy_with_logits(output["mask"], target["mask"])
    )


def graded_in_order(output: dict[str, Tensor], targets: tuple[Tensor, Tensor]) -> Tensor:
    return graded(output, {"grade": targets[0], "mask": targets[1]})


def graded_step(model: nn.Module, batch: Any) -> dict[str, Tensor]:
    images, targets = batch
    output = model(images)
    return {"loss": graded(output, targets), "logits": output["grade"]}

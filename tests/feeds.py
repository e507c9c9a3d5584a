"""Loaders as people write them, for training and validation: healthy, and with one planted fault each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)
from torch.utils.data.distributed import DistributedSampler
from torchvision import transforms
from torchvision.datasets import ImageFolder

from tests.photos import CLASSES as CLASS_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

IMAGES, SIDE, CLASSES = 40, 12, 3
AUGMENT = transforms.Compose(
    [transforms.RandomHorizontalFlip(), transforms.RandomCrop(8), transforms.ToTensor()],
)
EVALUATE = transforms.Compose([transforms.CenterCrop(8), transforms.ToTensor()])


class Photos(Dataset[Any]):
    """Images in memory, a transform on the way out; sorted by class, as folders are."""

    def __init__(self, transform: Callable[[Any], Any], seed: int = 0, *, classes: int = CLASSES) -> None:
        pixels = np.random.default_rng(seed).integers(0, 256, (IMAGES, SIDE, SIDE, 3), dtype=np.uint8)
        self.images = [Image.fromarray(each) for each in pixels]
        self.transform = transform
        self.classes = classes

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.transform(self.images[index]), index * self.classes // len(self.images)


class OwnGenerator(Photos):
    """Keeps a random generator, which each worker gets a copy of."""

    def __init__(self) -> None:
        super().__init__(EVALUATE)
        self.generator = np.random.default_rng(0)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        image, label = super().__getitem__(index)
        return image + float(self.generator.normal()), label


class Hidden(Dataset[Any]):
    """Augments inside `__getitem__`, where no attribute shows it; knows its files or not."""

    def __init__(self, names: list[str] | None) -> None:
        self.names = names
        if names is not None:
            self.samples = [(name, 0) for name in names]

    def __len__(self) -> int:
        return 20

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return torch.full((3, 8, 8), float(index)) + torch.rand(()), 0


class Opening(Photos):
    """Opens a file for each item, by a name that no list holds; and a table that lies elsewhere, once."""

    def __init__(self, folder: Path) -> None:
        super().__init__(EVALUATE)
        self.folder = folder
        self.table: list[str] | None = None

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> tuple[Any, int]:
        if self.table is None:
            self.table = Path(__file__).read_text().splitlines()
        with Image.open(self.folder / CLASS_NAMES[index % 3] / f"{index // 3}.jpg") as image:
            return self.transform(image), index % 3


class Stream(IterableDataset[Any]):
    """Has no keys."""

    def __init__(self, *, shuffled: bool) -> None:
        self.shuffled = shuffled

    def __iter__(self) -> Iterator[Any]:
        order = torch.randperm(IMAGES) if self.shuffled else torch.arange(IMAGES)
        yield from ((torch.rand(3, 8, 8), int(index)) for index in order)


class Fixed(Sampler[int]):
    """Shuffles with its own seed, from the start of each epoch."""

    def __iter__(self) -> Iterator[int]:
        yield from torch.randperm(IMAGES, generator=torch.Generator().manual_seed(3)).tolist()

    def __len__(self) -> int:
        return IMAGES


class Batches:
    """An iterable of batches of nobody's kind, over again at each call."""

    def __init__(self, targets: list[int], *, shuffled: bool = False) -> None:
        self.targets = torch.tensor(targets)
        self.shuffled = shuffled

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        targets = self.targets[torch.randperm(len(self.targets))] if self.shuffled else self.targets
        yield from ((torch.rand(len(part), 3, 8, 8), part) for part in targets.split(4))


# Healthy -------------------------------------------------------------------------------------------


def train() -> DataLoader[Any]:
    return DataLoader(Photos(AUGMENT), batch_size=4, shuffle=True)


def val() -> DataLoader[Any]:
    return DataLoader(Photos(EVALUATE, seed=1), batch_size=4)


def train_two_workers() -> DataLoader[Any]:
    return DataLoader(Photos(AUGMENT), batch_size=4, shuffle=True, num_workers=2)


def train_subset() -> DataLoader[Any]:
    return DataLoader(Subset(Photos(AUGMENT), range(30)), batch_size=4, shuffle=True)


def val_subset() -> DataLoader[Any]:
    return DataLoader(Subset(Photos(EVALUATE), range(30, 40)), batch_size=4)


def train_sampled() -> DataLoader[Any]:
    return DataLoader(Photos(AUGMENT), batch_size=4, sampler=SubsetRandomSampler(range(30)))


def val_sampled() -> DataLoader[Any]:
    return DataLoader(Photos(EVALUATE), batch_size=4, sampler=SubsetRandomSampler(range(30, 40)))


def train_mixed() -> DataLoader[Any]:
    """Mixes images in `collate_fn`, and leaves single ones unchanged."""
    return DataLoader(Photos(EVALUATE), batch_size=4, shuffle=True, collate_fn=mixed)


def mixed(items: list[Any]) -> Any:
    images, labels = torch.utils.data.default_collate(items)
    share = torch.rand(())
    return images * share + images.flip(0) * (1 - share), labels


def train_weighted() -> DataLoader[Any]:
    weights = [1.0] * 30 + [0.0] * 10
    return DataLoader(Photos(AUGMENT), batch_size=4, sampler=WeightedRandomSampler(weights, 40))


def train_batches_sampled() -> DataLoader[Any]:
    images = Photos(AUGMENT)
    return DataLoader(images, batch_sampler=BatchSampler(RandomSampler(images), 4, drop_last=True))


def train_unbatched() -> DataLoader[Any]:
    return DataLoader(Photos(AUGMENT), batch_size=None, shuffle=True)


def train_stream() -> DataLoader[Any]:
    return DataLoader(Stream(shuffled=True), batch_size=4)


def train_iterable() -> Batches:
    return Batches([index % CLASSES for index in range(IMAGES)], shuffled=True)


def train_tensors() -> DataLoader[Any]:
    return DataLoader(TensorDataset(torch.rand(20, 3, 8, 8), torch.arange(20) % 3), batch_size=4, shuffle=True)


def val_tensors() -> DataLoader[Any]:
    return DataLoader(TensorDataset(torch.rand(10, 3, 8, 8), torch.arange(10) % 3), batch_size=4)


def train_hidden() -> DataLoader[Any]:
    return DataLoader(Hidden([f"train/{index}.png" for index in range(20)]), batch_size=4, shuffle=True)


def val_hidden() -> DataLoader[Any]:
    return DataLoader(Hidden([f"val/{index}.png" for index in range(20)]), batch_size=4)


def distributed() -> DataLoader[Any]:
    images = Photos(AUGMENT)
    return DataLoader(images, batch_size=4, sampler=DistributedSampler(images, num_replicas=2, rank=0))


def photos(name: str) -> Path:
    """Return the training folder of a dataset that `tests.photos` writes."""
    return Path(os.environ["RETSPEC_TEST_IMAGES"], name, "train")


def train_folder() -> DataLoader[Any]:
    return DataLoader(ImageFolder(photos("healthy"), AUGMENT), batch_size=4, shuffle=True)


def val_folder() -> DataLoader[Any]:
    return DataLoader(ImageFolder(photos("healthy").with_name("val"), EVALUATE), batch_size=4)


def train_opening() -> DataLoader[Any]:
    return DataLoader(Opening(photos("healthy")), batch_size=4, shuffle=True)


# One fault each --------------------------------------------------------------------------------------


def train_not_augmented() -> DataLoader[Any]:
    """One dataset behind both loaders, whose transform was set for validation."""
    both = Photos(AUGMENT)
    training = Subset(both, range(30))
    training.dataset.transform = EVALUATE  # type: ignore[attr-defined]
    return DataLoader(training, batch_size=4, shuffle=True)


def val_augmented() -> DataLoader[Any]:
    """The other half of the dataset that augments."""
    return DataLoader(Subset(Photos(AUGMENT), range(30, 40)), batch_size=4)


def val_overlapping() -> DataLoader[Any]:
    """Two samples of the training."""
    return DataLoader(Subset(Photos(EVALUATE), range(28, 40)), batch_size=4)


def val_sampled_overlapping() -> DataLoader[Any]:
    return DataLoader(Photos(EVALUATE), batch_size=4, sampler=SubsetRandomSampler(range(25, 40)))


def val_hidden_overlapping() -> DataLoader[Any]:
    names = [f"train/{index}.png" for index in range(3)] + [f"val/{index}.png" for index in range(17)]
    return DataLoader(Hidden(names), batch_size=4)


def hidden_without_files() -> DataLoader[Any]:
    return DataLoader(Hidden(None), batch_size=4, shuffle=True)


def val_other_shape() -> DataLoader[Any]:
    """A resizing that no attribute shows: none of its tensors could equal one of the training."""
    return DataLoader(TensorDataset(torch.rand(10, 3, 6, 6), torch.arange(10) % 3), batch_size=4)


def train_other_folder() -> DataLoader[Any]:
    """Half of it from another folder than that of `train_folder`."""
    both = [ImageFolder(photos(name), AUGMENT) for name in ("healthy", "doubled")]
    return DataLoader(ConcatDataset(both), batch_size=4, shuffle=True)


def train_opening_another_folder() -> DataLoader[Any]:
    return DataLoader(Opening(photos("doubled")), batch_size=4, shuffle=True)


def train_own_generator() -> DataLoader[Any]:
    return DataLoader(OwnGenerator(), batch_size=4, shuffle=True, num_workers=2)


def train_seeded_workers() -> DataLoader[Any]:
    """Each worker starts with the same seed."""
    return DataLoader(Photos(AUGMENT), batch_size=4, shuffle=True, num_workers=2, worker_init_fn=same_seed)


def same_seed(_worker: int) -> None:
    torch.manual_seed(0)


def train_not_shuffled() -> DataLoader[Any]:
    return DataLoader(Photos(AUGMENT), batch_size=4)


def train_same_shuffle() -> DataLoader[Any]:
    return DataLoader(Photos(AUGMENT), batch_size=4, sampler=Fixed())


def train_stream_in_order() -> DataLoader[Any]:
    return DataLoader(Stream(shuffled=False), batch_size=4)


def train_few() -> DataLoader[Any]:
    return DataLoader(Subset(Photos(AUGMENT), range(4)), batch_size=4, shuffle=True)


def train_with_nan() -> DataLoader[Any]:
    """One value of one sample in the seventh batch."""
    inputs = torch.rand(IMAGES, 3, 8, 8)
    inputs[25, 1, 2, 3] = float("nan")
    return DataLoader(TensorDataset(inputs, torch.arange(IMAGES) % CLASSES), batch_size=4)


def train_labels_from_one() -> DataLoader[Any]:
    return DataLoader(TensorDataset(torch.rand(IMAGES, 3, 8, 8), torch.arange(IMAGES) // 14 + 1), batch_size=4)


def train_int32_labels() -> DataLoader[Any]:
    labels = (torch.arange(IMAGES) % CLASSES).int()
    return DataLoader(TensorDataset(torch.rand(IMAGES, 3, 8, 8), labels), batch_size=4)


def train_breaks() -> DataLoader[Any]:
    """Its tenth item cannot be collated with the others."""
    items = [(torch.rand(3, 8, 8 + (index == 10)), index % CLASSES) for index in range(IMAGES)]
    return DataLoader(items, batch_size=4)  # type: ignore[arg-type]


def soft_targets() -> DataLoader[Any]:
    return DataLoader(TensorDataset(torch.rand(8, 3, 8, 8), torch.rand(8, CLASSES)), batch_size=4)


def ignored_targets() -> DataLoader[Any]:
    return DataLoader(TensorDataset(torch.rand(8, 3, 8, 8), torch.tensor([0, 1, 2, -100] * 2)), batch_size=4)


def classifier() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, CLASSES))


def nothing() -> int:
    return 3

"""Open images, and combine them into batches."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError, named
from retspec.facts import Dataset
from retspec.regular_files import open_regular
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from PIL.Image import Image
    from torch import Tensor

    from retspec.facts import Example
    from retspec.subjects.data.transforms import Transform


def open_image(path: Path) -> Image:
    """Return a file as a fully decoded RGB image, as `pil_loader` of torchvision does.

    Raises SubjectError for a file that is missing or cannot be decoded.

    See https://github.com/pytorch/vision/blob/main/torchvision/datasets/folder.py
    """
    from PIL import Image

    try:
        with open_regular(path) as file, Image.open(file) as image:
            return image.convert("RGB")
    except Exception as error:
        raise SubjectError(
            f"{path} cannot be opened: {named(error)}; `missing_files` and `corrupt_images` list all such files",
            path="data",
        ) from error


class Items:
    """A dataset of images and labels for torch's DataLoader, which repeats its examples up to a length.

    An item is a pair: the tensor that the transform returns, (channels, height, width), and the label.
    """

    def __init__(self, dataset: Dataset, examples: Sequence[Example], transform: Transform, length: int) -> None:
        self._pairs = [(dataset.path(example), example.label) for example in examples]
        self._transform = transform
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        path, label = self._pairs[index % len(self._pairs)]
        if label is None:
            raise SubjectError(f"{path} has no label; `labels_out_of_range` lists all such files", path="data")
        return self._transform(open_image(path)), label


def with_images(made: Any, source: str) -> Dataset:
    """Return what a data source made; raises SubjectError where it is no Dataset, or its first split has no image."""
    if not isinstance(made, Dataset):
        raise SubjectError(f"{source} gave {type(made).__name__}, not a Dataset", path="data")
    if not made.splits or not made.first.examples:
        name = next(iter(made.splits), "")
        reason = f"; {' '.join(made.notes)}" if made.notes else ""
        raise SubjectError(f"the split {name!r} lists no image in {made.folder}{reason}", path="data")
    return made


def take_images(dataset: Dataset, transform: Transform, samples: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return images of the first split, (batch, channels, height, width), and their labels, (batch,), int64.

    They are drawn from the seed, balanced over the classes as far as possible. batch is `samples`, or the number of all
    images if that is smaller.

    Raises SubjectError for images that cannot be opened, have no label, or differ in size after the transform.
    """
    import torch

    examples = balanced(dataset.first.examples, seed)[:samples]
    items = Items(dataset, examples, transform, len(examples))
    images, labels = zip(*(items[index] for index in range(len(items))), strict=True)
    sizes = dict.fromkeys(str(tuple(image.shape)) for image in images)
    if len(sizes) > 1:
        raise SubjectError(
            f"the transform gives tensors of different sizes, {listing(list(sizes))}; crop or resize to a fixed one",
            path="data.transform",
        )
    return torch.stack(images), torch.tensor(labels)


def balanced(examples: Sequence[Example], seed: int) -> list[Example]:
    """Return all examples in a seeded order in which the classes take turns."""
    by_class: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_class[example.class_name].append(example)
    shuffler = random.Random(seed)  # noqa: S311 - not for secrets
    for members in by_class.values():
        shuffler.shuffle(members)
    return list(_in_turn(list(by_class.values())))


def _in_turn(lists: Sequence[Sequence[Example]]) -> Iterator[Example]:
    return (example for example in chain.from_iterable(zip_longest(*lists)) if example is not None)

"""Opening images, and putting them together to batches."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from retspec.errors import SubjectError, named
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from PIL.Image import Image
    from torch import Tensor

    from retspec.facts import Dataset, Example
    from retspec.subjects.data.transforms import Transform


def open_image(path: Path) -> Image:
    """Return a file as an RGB image, decoded to its last pixel, as torchvision's loader does it.

    Raises SubjectError for a file that is not there, or no image.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except Exception as error:
        raise SubjectError(
            f"{path} cannot be opened: {named(error)}; `missing_files` and `corrupt_images` list all such files",
            path="data",
        ) from error


class Items:
    """Images with their labels, as a dataset that torch's DataLoader takes; image i is example i modulo their number.

    An item is a pair (tensor, label).
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


def take_images(dataset: Dataset, transform: Transform, samples: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return so many images of the first split, (batch, channels, height, width), and their labels, (batch,).

    Seeded, and balanced over the classes as far as they reach; all images where there are fewer.

    Raises SubjectError for images that cannot be opened, or come out in different sizes.
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
    shuffler = random.Random(seed)  # noqa: S311 - no secret depends on it
    for members in by_class.values():
        shuffler.shuffle(members)
    return list(_in_turn(list(by_class.values())))


def _in_turn(lists: Sequence[Sequence[Example]]) -> Iterator[Example]:
    return (example for example in chain.from_iterable(zip_longest(*lists)) if example is not None)

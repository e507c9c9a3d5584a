"""Open images, and combine them into batches."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError, named
from retspec.facts import Dataset
from retspec.regular_files import open_content
from retspec.subjects.data.pairs import Pair
from retspec.subjects.data.parts import in_rows
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from PIL.Image import Image
    from torch import Tensor

    from retspec.facts import Example
    from retspec.regular_files import Part


def open_image(path: Path | Part) -> Image:
    """Return a file, or a part of one, as a fully decoded RGB image, as `pil_loader` of torchvision does.

    Raises SubjectError for a file that is missing or cannot be decoded.

    See https://github.com/pytorch/vision/blob/main/torchvision/datasets/folder.py
    """
    from PIL import Image

    try:
        with open_content(path) as file, Image.open(file) as image:
            return image.convert("RGB")
    except Exception as error:
        raise SubjectError(
            f"{path} cannot be opened: {named(error)}; `missing_files` and `corrupt_images` list all such files",
            path="data",
        ) from error


class Items:
    """A dataset of images and labels for torch's DataLoader, which repeats its examples up to a length.

    An item is a pair: the tensor that the transform returns, (channels, height, width), and the label: a class number,
    or a tensor (classes,) of ones and zeros. Several images of an example are a tuple of such tensors.
    """

    def __init__(
        self, dataset: Dataset, examples: Sequence[Example], transform: Callable[[Image], Tensor], length: int
    ) -> None:
        self._pairs = [(tuple(map(dataset.content, example.files)), example.label) for example in examples]
        self._transform = transform
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> tuple[Tensor | tuple[Tensor, ...], int | Tensor]:
        import torch

        paths, label = self._pairs[index % len(self._pairs)]
        if label is None:
            raise SubjectError(f"{paths[0]} has no label; `labels_out_of_range` lists all such files", path="data")
        images = tuple(self._transform(open_image(path)) for path in paths)
        target = torch.tensor(label, dtype=torch.float32) if isinstance(label, tuple) else label
        return (images[0] if len(images) == 1 else images), target


def with_images(made: Any, source: str) -> Dataset:
    """Return what a data source made; raises SubjectError where it is no Dataset, or its first split has no image."""
    if not isinstance(made, Dataset):
        raise SubjectError(f"{source} gave {type(made).__name__}, not a Dataset", path="data")
    if not made.splits or not made.first.examples:
        name = next(iter(made.splits), "")
        reason = f"; {' '.join(made.notes)}" if made.notes else ""
        raise SubjectError(f"the split {name!r} lists no image in {made.folder}{reason}", path="data")
    return made


def take_images(dataset: Dataset, transform: Callable[[Image], Tensor], samples: int, seed: int) -> Pair:
    """Return images of the first split, (batch, channels, height, width), and their labels, (batch,), int64.

    Of several label columns the labels are (batch, classes), float32; several images of an example lie in rows.

    They are drawn from the seed, balanced over the classes as far as possible. batch is `samples`, or the number of all
    images if that is smaller.

    Raises SubjectError for images that cannot be opened, have no label, or differ in size after the transform.
    """
    from torch.utils.data import default_collate

    examples = balanced(dataset.first.examples, seed)[:samples]
    items = Items(dataset, examples, transform, len(examples))
    read = [items[index] for index in range(len(items))]
    every = [image for images, _ in read for image in (images if isinstance(images, tuple) else (images,))]
    sizes = dict.fromkeys(str(tuple(image.shape)) for image in every)
    if len(sizes) > 1:
        raise SubjectError(
            f"the transform gives tensors of different sizes, {listing(list(sizes))}; crop or resize to a fixed one",
            path="data.transform",
        )
    return collated(default_collate(read), dataset)


def collated(batch: Any, dataset: Dataset) -> Pair:
    """Return what torch collates from items as inputs and targets; several inputs lie in rows (images, numbers)."""
    images, targets = batch
    layout = None
    if isinstance(images, (tuple, list)):
        given = dict(zip(dataset.inputs, images, strict=True)) if dataset.inputs else images
        images, layout = in_rows(given, "the images of an example", "data")
    pair = Pair((images, targets))
    pair.layout = layout
    return pair


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

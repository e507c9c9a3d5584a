"""All images of a split in the order of its list, each once: what an evaluation reads."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from retspec.errors import SubjectError, describe, did_you_mean
from retspec.subjects.data.images import collated, open_image
from retspec.subjects.devices import cores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    from PIL.Image import Image
    from torch import Tensor

    from retspec.facts import Dataset, Example
    from retspec.subjects.data.pairs import Pair
    from retspec.subjects.data.transforms import Transform

_MOST_THREADS = 8


def examples_of(dataset: Dataset, split: str, path: str, kind: str = "classes") -> tuple[Example, ...]:
    """Return the examples of a split that can be predicted and judged: each has what is true of it.

    path: the dotted place in the spec that names the split. kind: what that is: a class number (`classes`), a 1 or 0
    for each of several `labels`, or a number as it is written (`values`).

    Raises SubjectError for a split that is not there, and for labels that are none, or of another kind.
    """
    if split not in dataset.splits:
        near, there = did_you_mean(split, dataset.splits), ", ".join(map(repr, dataset.splits))
        raise SubjectError(f"the data has no split {split!r}{near}; it has {there}", path=path)
    examples = dataset.splits[split].examples
    if not examples:
        raise SubjectError(f"the split {split!r} lists no image", path="data")
    if not dataset.splits[split].has_labels:
        raise SubjectError(f"the split {split!r} has no labels, so that its predictions cannot be judged", path=path)
    require = {"classes": _require_class, "labels": _require_labels, "values": _require_value}[kind]
    for example in examples:
        require(example, dataset.splits[split].place(example) or example.file)
    return examples


def _require_class(example: Example, place: str) -> None:
    if isinstance(example.label, tuple):
        message = (
            "predictions are made of one class per image, and these labels are several; write "
            "`train: {task: multilabel}` if each is a question of its own"
        )
        raise SubjectError(message, path="data")
    if example.label is None or example.label < 0:
        raise SubjectError(f"{place} has no label; `labels_out_of_range` lists all such files", path="data")


def _require_labels(example: Example, place: str) -> None:
    if isinstance(example.label, int):
        message = "predictions of several labels need 0 or 1 for each, and these images have one class"
        raise SubjectError(message, path="data")
    if example.label is None:
        message = f"{place} has no labels of 0 and 1 ({example.class_name}); `labels_out_of_range` lists all such files"
        raise SubjectError(message, path="data")


def _require_value(example: Example, place: str) -> None:
    try:
        found = math.isfinite(float(example.class_name))
    except ValueError:
        found = False
    if not found:
        message = f"{place} has the label {example.class_name!r}, and a regression needs a number for each image"
        raise SubjectError(message, path="data")


class OrderedReading:
    """Reads the images of a split: threads decode the next batch while the model has the one before.

    The transform is called by one thread alone, since a user's may not be made for more.
    """

    def __init__(self, dataset: Dataset, split: str, transform: Transform) -> None:
        self._dataset = dataset
        self._examples = dataset.splits[split].examples
        self._transform = transform

    def batches(self, size: int) -> Iterator[Pair]:
        """Yield batches (inputs, labels) of so many images, the last one of fewer.

        Labels are int64, (batch,); of several columns float32, (batch, labels).

        Raises SubjectError for images that cannot be opened, or differ in size after the transform.
        """
        parts = [self._examples[start : start + size] for start in range(0, len(self._examples), size)]
        pool = ThreadPoolExecutor(min(cores(), _MOST_THREADS))
        try:
            ahead = self._opened(pool, parts[0])
            for part, following in zip(parts, [*parts[1:], ()], strict=True):
                images, ahead = ahead, self._opened(pool, following)
                yield self._collated(part, images)
        finally:  # also where the model fails in between
            pool.shutdown(cancel_futures=True)

    def _opened(self, pool: ThreadPoolExecutor, examples: Sequence[Example]) -> list[list[Future[Image]]]:
        content = self._dataset.content
        return [[pool.submit(open_image, content(file)) for file in example.files] for example in examples]

    def _collated(self, examples: Sequence[Example], images: Sequence[Sequence[Future[Image]]]) -> Pair:
        from torch.utils.data import default_collate

        read = []
        for example, opened in zip(examples, images, strict=True):
            tensors = tuple(self._transform(image.result()) for image in opened)
            read.append((tensors[0] if len(tensors) == 1 else tensors, _target(example)))
        try:
            return collated(default_collate(read), self._dataset)
        except RuntimeError as error:
            message = f"the transformed images of a batch cannot be stacked, {examples[0].file} the first: "
            raise SubjectError(message + describe(error), path="data.transform") from error


def _target(example: Example) -> int | Tensor:
    """Return the label for a batch; that of a regression may be a text, which no model sees."""
    import torch

    if isinstance(example.label, tuple):
        return torch.tensor(example.label, dtype=torch.float32)
    return -1 if example.label is None else example.label

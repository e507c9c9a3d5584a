"""All images of a split in the order of its list, each once: what an evaluation reads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from retspec.errors import SubjectError, describe, did_you_mean
from retspec.subjects.data.images import collated, open_image
from retspec.subjects.devices import cores

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    from PIL.Image import Image

    from retspec.facts import Dataset, Example
    from retspec.subjects.data.pairs import Pair
    from retspec.subjects.data.transforms import Transform

_MOST_THREADS = 8


def examples_of(dataset: Dataset, split: str, path: str) -> tuple[Example, ...]:
    """Return the examples of a split that can be predicted and judged: one class number for each image.

    path: the dotted place in the spec that names the split. Raises SubjectError for a split that is not there, and for
    labels that are none or several.
    """
    if split not in dataset.splits:
        near, there = did_you_mean(split, dataset.splits), ", ".join(map(repr, dataset.splits))
        raise SubjectError(f"the data has no split {split!r}{near}; it has {there}", path=path)
    examples = dataset.splits[split].examples
    if not examples:
        raise SubjectError(f"the split {split!r} lists no image", path="data")
    if not dataset.splits[split].has_labels:
        raise SubjectError(f"the split {split!r} has no labels, so that its predictions cannot be judged", path=path)
    for example in examples:
        if isinstance(example.label, tuple):
            raise SubjectError("predictions are made of one class per image, and these labels are several", path="data")
        if example.label is None or example.label < 0:
            place = dataset.splits[split].place(example) or example.file
            raise SubjectError(f"{place} has no label; `labels_out_of_range` lists all such files", path="data")
    return examples


class OrderedReading:
    """Reads the images of a split: threads decode the next batch while the model has the one before.

    The transform is called by one thread alone, since a user's may not be made for more.
    """

    def __init__(self, dataset: Dataset, split: str, transform: Transform) -> None:
        self._dataset = dataset
        self._examples = dataset.splits[split].examples
        self._transform = transform

    def batches(self, size: int) -> Iterator[Pair]:
        """Yield batches (inputs, labels) of so many images, the last one of fewer; labels are int64, (batch,).

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
        folder = Path(self._dataset.folder)
        return [[pool.submit(open_image, folder / file) for file in example.files] for example in examples]

    def _collated(self, examples: Sequence[Example], images: Sequence[Sequence[Future[Image]]]) -> Pair:
        from torch.utils.data import default_collate

        read = []
        for example, opened in zip(examples, images, strict=True):
            tensors = tuple(self._transform(image.result()) for image in opened)
            read.append((tensors[0] if len(tensors) == 1 else tensors, example.label))
        try:
            return collated(default_collate(read), self._dataset)
        except RuntimeError as error:
            message = f"the transformed images of a batch cannot be stacked, {examples[0].file} the first: "
            raise SubjectError(message + describe(error), path="data.transform") from error

"""Small pictures of the data for the reports: an image under its augmentations, and a batch as the model gets it.

They come from images that are decoded anyway, and a measurement draws the same random numbers with and without them.
"""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError
from retspec.records import Picture
from retspec.subjects.data.batch import UnlabelledBatch
from retspec.subjects.seeds import seeded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from PIL import Image
    from torch import Tensor

    from retspec.subjects.data.batch import Batch
    from retspec.subjects.data.transforms import Transform, Transforms

SIDE = 96
"""Most pixels of a side."""
MOST_DRAWS = 5
"""Augmentations of one image."""
AUGMENTED = "One image under its augmentations"
BATCH = "A batch as the model gets it"
_QUALITY = 80
_DIMENSIONS = 4
"""Of a batch of images: (images, channels, height, width)."""
_MODES = {1: "L", 3: "RGB"}
"""Of Pillow, by the number of channels."""


class Gallery:
    """Takes the pictures of a run, those of each kind once.

    most: how many at most; 0 for none. show: gets all that are taken, each time that there are more.
    """

    def __init__(self, most: int, seed: int, show: Callable[[tuple[Picture, ...]], None]) -> None:
        self._most = most
        self._seed = seed
        self._show = show
        self._pictures: list[Picture] = []
        self._has_image = self._has_batch = most == 0

    def evaluating(self, transforms: Transforms) -> Callable[[Image.Image], Tensor]:
        """Return the transform for evaluation; the first image that it gets is shown under the augmentations."""

        def evaluate(image: Image.Image) -> Tensor:
            if not self._has_image and transforms.augment is not None:
                self._has_image = True
                self._add(_augmented(image, transforms.augment, self._draws, self._seed))
            return transforms.evaluate(image)

        return evaluate

    def seen(self, batch: Batch) -> Batch:
        """Show the batch of a training of the user's own; return it."""
        self.show_batch(batch.inputs, None if isinstance(batch, UnlabelledBatch) else batch.targets)
        return batch

    def show_batch(
        self,
        inputs: Tensor,
        targets: Tensor | None,
        *,
        transform: Transform | None = None,
        classes: Mapping[str, int] | None = None,
    ) -> None:
        """Show images (batch, channels, height, width) with their labels; the first batch alone is shown.

        transform: what made them, whose normalization is undone. classes: the names of the class indices.
        """
        if self._has_batch or inputs.dim() != _DIMENSIONS or inputs.shape[1] not in _MODES:
            return
        self._has_batch = True
        shown = inputs[: self._most - len(self._pictures)].detach().float().cpu()
        known = None if transform is None else _normalization(transform)
        how = "normalization undone" if known else "each stretched to all its range of brightness"
        labels = _labels(targets, classes or {}, len(shown))
        self._add(
            [
                Picture(caption=label, group=f"{BATCH} ({how})", image=_uri(_of_tensor(image, known)))
                for image, label in zip(shown, labels, strict=True)
            ]
        )

    @property
    def _draws(self) -> int:
        """Augmentations that leave half of the room to the batch."""
        return min(MOST_DRAWS, max(self._most // 2 - 1, 0))

    def _add(self, pictures: Sequence[Picture]) -> None:
        if pictures:
            self._pictures += pictures
            self._show(tuple(self._pictures))


def _augmented(image: Image.Image, augment: Transform, draws: int, seed: int) -> list[Picture]:
    """Return an image as it was decoded, and as some augmentations make it; none where they fail on it."""
    known = _normalization(augment)
    found = [("as it was decoded", image.copy())]
    try:
        with seeded(seed):
            found += [(f"draw {turn}", _of_tensor(augment(image), known)) for turn in range(1, draws + 1)]
    except (SubjectError, ValueError):  # what needs the augmentations reports it
        return []
    return [Picture(caption=caption, group=AUGMENTED, image=_uri(each)) for caption, each in found]


def _normalization(transform: Transform) -> tuple[Sequence[float], Sequence[float]] | None:
    """Return mean and standard deviation of the step that normalizes, as torchvision and albumentations name them."""
    for _, step in reversed(transform.steps):
        mean, std = getattr(step, "mean", None), getattr(step, "std", None)
        if mean is not None and std is not None:
            return _numbers(mean), _numbers(std)
    return None


def _numbers(values: Any) -> list[float]:
    return [float(value) for value in values] if hasattr(values, "__len__") else [float(values)]


def _of_tensor(image: Tensor, known: tuple[Sequence[float], Sequence[float]] | None) -> Image.Image:
    """Return (channels, height, width) as a picture: its normalization undone, or stretched to its own range.

    Raises ValueError for another shape, and for numbers of other channels.
    """
    import torch
    from PIL import Image

    if image.dim() != _DIMENSIONS - 1 or image.shape[0] not in _MODES:
        raise ValueError(f"no image: {tuple(image.shape)}")
    image = image.detach().float().cpu().nan_to_num()
    if known:
        mean, std = (torch.tensor(numbers).reshape(-1, 1, 1) for numbers in known)
        image = image * std + mean
    else:
        low, high = image.min(), image.max()
        image = (image - low) / (high - low).clamp(min=1e-12)
    levels = (image.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    mode = _MODES[levels.shape[2]]
    return Image.fromarray(levels[:, :, 0] if mode == "L" else levels, mode)


def _labels(targets: Tensor | None, classes: Mapping[str, int], count: int) -> list[str]:
    """Return the label of each image in words: of its class, of its classes, or a number."""
    if targets is None or targets.dim() > 2 or targets.numel() == 0:  # noqa: PLR2004 - (batch, classes)
        return [""] * count
    names = {index: name for name, index in classes.items()}
    rows = targets[:count].detach().cpu()
    if rows.dim() == 1:
        return [names.get(value, f"label {value:.4g}") for value in rows.tolist()]
    there = [[index for index, value in enumerate(row) if value] for row in rows.tolist()]
    return [", ".join(names.get(index, f"class {index}") for index in each) or "no class" for each in there]


def _uri(image: Image.Image) -> str:
    """Return a picture of at most 96 pixels a side as a data URI, without anything that its file said of it."""
    small = image.convert("RGB") if image.mode not in _MODES.values() else image
    small.thumbnail((SIDE, SIDE))
    small.info.clear()
    written = io.BytesIO()
    small.save(written, format="JPEG", quality=_QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(written.getvalue()).decode()}"

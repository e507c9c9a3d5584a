"""Small pictures of the data for the reports: an image under its augmentations, a batch, and what a model says of it.

They come from images that are decoded anyway, and a measurement draws the same random numbers with and without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import SubjectError
from retspec.records import Picture, fair_share
from retspec.subjects.data.batch import UnlabelledBatch
from retspec.subjects.data.thumbnails import Look, are_images, normalization_of, of_tensor, uri_of
from retspec.subjects.seeds import seeded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PIL import Image
    from torch import Tensor

    from retspec.subjects.data.batch import Batch
    from retspec.subjects.data.transforms import Transform, Transforms

MOST_DRAWS = 5
"""Augmentations of one image."""
AUGMENTED = "One image under its augmentations"
BATCH = "A batch as the model gets it"
_FEWEST_AUGMENTED = 2
"""The image as it was decoded, and one augmentation."""


class Gallery:
    """Takes the pictures of a run, those of each kind once.

    most: how many at most; 0 for none. show: gets those that are shown, each time that there are more. note: called
    with why something is not shown.
    """

    def __init__(
        self,
        most: int,
        seed: int,
        show: Callable[[tuple[Picture, ...]], None],
        note: Callable[[tuple[str, ...]], None] = lambda _notes: None,
    ) -> None:
        self.most = most
        self._seed = seed
        self._show = show
        self._note = note
        self._pictures: list[Picture] = []
        self._has_image = self._has_batch = most == 0
        self._begun: set[str] = set()

    def begins(self, kind: str) -> bool:
        """Whether pictures of a kind are wanted, and nobody has begun to take any."""
        is_new = self.most > 0 and kind not in self._begun
        self._begun.add(kind)
        return is_new

    def explain(self, why: str) -> None:
        """Say why something is not shown, in a whole sentence."""
        self._note((why,))

    def evaluating(self, transforms: Transforms) -> Callable[[Image.Image], Tensor]:
        """Return the transform for evaluation; the first image that it gets is shown under the augmentations."""

        def evaluate(image: Image.Image) -> Tensor:
            if not self._has_image and transforms.augment is not None:
                self._has_image = True
                self.add(_augmented(image, transforms.augment, self._seed))
            return transforms.evaluate(image)

        return evaluate

    def seen(self, batch: Batch) -> Batch:
        """Show the batch of a training of the user's own; return it."""
        self.show_batch(batch.inputs, None if isinstance(batch, UnlabelledBatch) else batch.targets, Look)
        return batch

    def show_batch(self, inputs: Tensor, targets: Tensor | None, look: Callable[[], Look]) -> None:
        """Show images (batch, channels, height, width) with their labels; the first batch alone is shown."""
        if self._has_batch or not are_images(inputs):
            return
        self._has_batch = True
        shown, shows = inputs[: self.most], look()
        labels = labels_of(targets, shows, len(shown))
        self.add(
            [
                Picture(caption=label, group=f"{BATCH} ({shows.words})", image=uri_of(shows.image(image)))
                for image, label in zip(shown, labels, strict=True)
            ]
        )

    def add(self, pictures: Sequence[Picture]) -> None:
        """Show pictures of one group beside those that there are; each group has a fair share."""
        if not pictures:
            return
        self._pictures += pictures
        shown = self._shared(self._pictures)
        if sum(picture.group == AUGMENTED for picture in shown) < _FEWEST_AUGMENTED:
            shown = self._shared([picture for picture in self._pictures if picture.group != AUGMENTED])
        self._show(tuple(shown))

    def _shared(self, pictures: Sequence[Picture]) -> list[Picture]:
        return fair_share(pictures, self.most, lambda picture: picture.group)


def _augmented(image: Image.Image, augment: Transform, seed: int) -> list[Picture]:
    """Return an image as it was decoded, and as some augmentations make it; none where they fail on it."""
    known = normalization_of(augment)
    found = [("as it was decoded", image.copy())]
    try:
        with seeded(seed):
            found += [(f"draw {turn}", of_tensor(augment(image), known)) for turn in range(1, MOST_DRAWS + 1)]
    except (SubjectError, ValueError):  # what needs the augmentations reports it
        return []
    return [Picture(caption=caption, group=AUGMENTED, image=uri_of(each)) for caption, each in found]


def labels_of(targets: Tensor | None, look: Look, count: int) -> list[str]:
    """Return the label of each image in words: of its class, of its classes, or a number."""
    if targets is None or targets.dim() > 2 or targets.numel() == 0:  # noqa: PLR2004 - (batch, classes)
        return [""] * count
    rows = targets[:count].detach().cpu()
    if rows.dim() == 1:
        names = {number: name for name, number in look.classes.items()}
        return [names.get(value, f"label {value:.4g}") for value in rows.tolist()]
    there = [[index for index, value in enumerate(row) if value] for row in rows.tolist()]
    return [", ".join(look.name(index, "class ") for index in each) or "no class" for each in there]

"""The images that a model gets wrong, the most confident first, for the pictures in the reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.records import Picture
from retspec.subjects.data.thumbnails import uri_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from retspec.subjects.data.thumbnails import Look

MATRIX = 2
"""Dimensions of (images, classes)."""


@dataclass(frozen=True)
class _Mistake:
    """A wrong answer about one image."""

    confidence: float
    place: int
    """Of the image, in its batch."""
    words: str


class Mistakes:
    """Keeps the most confident wrong answers about the images that come by, and counts all of them.

    kind: `classes`, one for each image, or `labels`, several of which each is there or not. most: pictures that are
    kept, so that a whole split can come by.
    """

    def __init__(self, kind: str, look: Look, most: int) -> None:
        self._kind, self._look, self._most = kind, look, most
        self._kept: list[tuple[float, Picture]] = []
        self.wrong = self.judged = 0

    def see(self, images: Tensor, targets: Tensor, probabilities: Tensor) -> None:
        """Judge the answers about a batch, (images, classes); targets are those of the data.

        An image is not judged whose target is no class, or a mixture of several, or whose answer is not finite.
        """
        judge = _wrong_classes if self._kind == "classes" else _wrong_labels
        found: list[_Mistake] = []
        for row in judge(targets.detach().cpu(), probabilities.detach().double().cpu(), self._look):
            self.judged += 1
            found += [] if row is None else [row]
        self.wrong += len(found)
        found.sort(key=lambda mistake: -mistake.confidence)
        for mistake in found[: self._most]:
            if len(self._kept) == self._most and mistake.confidence <= self._kept[-1][0]:
                break
            image = uri_of(self._look.image(images[mistake.place]))
            self._kept.append((mistake.confidence, Picture(caption=mistake.words, group="", image=image)))
            self._kept.sort(key=lambda kept: -kept[0])
            del self._kept[self._most :]

    def pictures(self, heading: str) -> list[Picture]:
        """Return them, the most confident first, under a heading that ends in how many are wrong."""
        group = f"{heading}: {self.wrong:,} of {self.judged:,} images are wrong, the most confident first"
        return [Picture(caption=kept.caption, group=group, image=kept.image) for _, kept in self._kept]


def _wrong_classes(targets: Tensor, probabilities: Tensor, look: Look) -> Iterator[_Mistake | None]:
    confidences, answers = probabilities.max(1)
    is_finite = probabilities.isfinite().all(1)
    rows = zip(_classes(targets), answers.tolist(), confidences.tolist(), is_finite.tolist(), strict=True)
    for place, (label, answer, confidence, is_judged) in enumerate(rows):
        if label is None or not is_judged:
            continue
        if label == answer:
            yield None
        else:
            words = f"label {look.name(label)}, predicted {look.name(answer)} ({confidence:.2f})"
            yield _Mistake(confidence, place, words)


def _classes(targets: Tensor) -> list[int | None]:
    """Return the class of each image; None where a target is none, or a mixture."""
    if targets.dim() == MATRIX and targets.shape[1] > 1:
        return [int(row.argmax()) if float(row.max()) == 1 == float(row.sum()) else None for row in targets]
    return [int(value) if value >= 0 and value % 1 == 0 else None for value in targets.reshape(-1).tolist()]


def _wrong_labels(targets: Tensor, probabilities: Tensor, look: Look) -> Iterator[_Mistake | None]:
    """Yield, for each image, the label about which the model is wrong with the most confidence."""
    there, said = targets > 0.5, probabilities > 0.5  # noqa: PLR2004 - labels and probabilities from 0 to 1
    confidences, labels = probabilities.maximum(1 - probabilities).where(there != said, 0).max(1)
    is_finite = probabilities.isfinite().all(1)
    for place, (confidence, label) in enumerate(zip(confidences.tolist(), labels.tolist(), strict=True)):
        if not is_finite[place]:
            continue
        if not confidence:
            yield None
        else:
            given, answer = ("yes" if bool(each[place, label]) else "no" for each in (there, said))
            words = f"{look.name(label, 'class ')}: label {given}, predicted {answer} ({confidence:.2f})"
            yield _Mistake(confidence, place, words)

"""The measurement `stages`: the time of each step from an image file to a tensor."""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from retspec.facts import Stage, Stages
from retspec.plugin import Cost, measurement
from retspec.records import PositiveInt
from retspec.subjects.data.images import balanced, open_image
from retspec.subjects.data.loaders import ROUNDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from retspec.facts import Dataset
    from retspec.subjects.data.transforms import Transform, Transforms


@measurement(cost=Cost.FORWARD)
def stages(
    dataset: Dataset,
    transforms: Transforms,
    progress: Callable[[int, int], None],
    *,
    images: Annotated[PositiveInt, Meta(description="Images per round; every round has the same ones.")] = 16,
) -> Stages:
    """Time decoding and every step of the transforms on some images, in one process, after a warm-up round.

    Raises SubjectError when an image cannot be opened or a step fails on it.
    """
    paths = [dataset.content(example.file) for example in balanced(dataset.first.examples, 0)[:images]]
    decoding = _Watch([("decoding", open_image)])
    evaluating, augmenting = _Watch(_steps(transforms.evaluate)), _Watch(_steps(transforms.augment))
    for turn in range(1 + ROUNDS):
        progress(turn, 1 + ROUNDS)
        for watch in (decoding, evaluating, augmenting):
            watch.begin_round()
        for path in paths:  # one by one: a decoded fundus photograph takes tens of megabytes
            image = decoding.run(path)
            evaluating.run(image)
            augmenting.run(image)
    (opening,) = decoding.stages(len(paths))
    return Stages(opening, evaluating.stages(len(paths)), augmenting.stages(len(paths)))


class _Watch:
    """Runs steps one after the other, and adds up the seconds of each, round by round."""

    def __init__(self, steps: Sequence[tuple[str, Callable[[Any], Any]]]) -> None:
        self._steps = steps
        self._rounds: list[list[float]] = []

    def begin_round(self) -> None:
        """Start a new round at zero seconds."""
        self._rounds.append([0.0] * len(self._steps))

    def run(self, item: Any) -> Any:
        """Return the result of all steps on an item, and add up their seconds."""
        for index, (_, step) in enumerate(self._steps):
            started = perf_counter()
            item = step(item)
            self._rounds[-1][index] += perf_counter() - started
        return item

    def stages(self, images: int) -> tuple[Stage, ...]:
        """Return the steps with their seconds per image in each round after the warm-up.

        images: number of images in a round.
        """
        return tuple(
            Stage(name, tuple(seconds[index] / images for seconds in self._rounds[1:]))
            for index, (name, _) in enumerate(self._steps)
        )


def _steps(transform: Transform | None) -> list[tuple[str, Callable[[Any], Any]]]:
    return [] if transform is None else [(name, partial(transform.apply, step)) for name, step in transform.steps]

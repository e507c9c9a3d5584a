"""Small pictures of the data, and which of them are shown where there are more than there is room for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

T = TypeVar("T")

MOST_PICTURES = 24
"""On a page, whatever the number of its cells."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A small picture of the data, which a spec asks for with `run: {gallery: 12}`."""

    caption: str
    """What it shows: a label, what the model says, or how it was augmented."""
    group: str
    """What it is shown with, as a heading."""
    image: str
    """A data URI."""


def fair_share(pictures: Sequence[T], most: int, group: Callable[[T], Hashable]) -> list[T]:
    """Return at most so many pictures, in their order: the first ones of each group, none at the cost of another.

    Groups get the same number; what one has no pictures for, the others get.
    """
    ranks: list[int] = []
    seen: Counter[Hashable] = Counter()
    for picture in pictures:
        ranks.append(seen[group(picture)])
        seen[group(picture)] += 1
    chosen = sorted(range(len(ranks)), key=ranks.__getitem__)[:most]
    return [pictures[index] for index in sorted(chosen)]

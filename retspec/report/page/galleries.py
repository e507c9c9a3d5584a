"""The pictures of the data on the page: those of all cells are no more than a page holds, each with its own text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retspec.records import MOST_PICTURES, fair_share
from retspec.report.page.criteria import flat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retspec.records import Picture, Report

_PICTURE = re.compile(r"data:image/(jpeg|webp|png);base64,[A-Za-z0-9+/]+={0,2}")
_LARGEST_PICTURE = 30_000
"""Characters of a picture of 96 pixels a side, and many more."""


@dataclass(frozen=True)
class Shown:
    """A picture on the page."""

    image: str
    """A data URI."""
    caption: str
    alt: str
    """What stands for it where it is not seen: the caption says the rest."""


@dataclass(frozen=True)
class Gallery:
    """The pictures of one part of a report."""

    groups: Sequence[tuple[str, Sequence[Shown]]]
    """By their heading."""
    left_out: int
    """How many the page has no room for."""

    def __bool__(self) -> bool:
        """Whether there is any picture."""
        return bool(self.groups)


def galleries_of(parts: Sequence[Report]) -> list[Gallery]:
    """Return the pictures of each part that are shown: each group of each part has a fair share of the page.

    None is shown that would load something, whatever a file of results holds.
    """
    every = [(number, picture) for number, part in enumerate(parts) for picture in part.pictures if _is_one(picture)]
    kept = fair_share(every, MOST_PICTURES, lambda each: (each[0], flat(each[1].group)))
    return [_gallery(_of(number, kept), len(_of(number, every))) for number in range(len(parts))]


def _of(number: int, pictures: Sequence[tuple[int, Picture]]) -> list[Picture]:
    return [picture for each, picture in pictures if each == number]


def _is_one(picture: Picture) -> bool:
    return len(picture.image) <= _LARGEST_PICTURE and _PICTURE.fullmatch(picture.image) is not None


def _gallery(pictures: Sequence[Picture], there_are: int) -> Gallery:
    found: dict[str, list[Shown]] = {}
    for picture in pictures:
        group = flat(picture.group)
        shown = found.setdefault(group, [])
        shown.append(Shown(picture.image, flat(picture.caption), f"{_short(group)}, picture {len(shown) + 1}"))
    return Gallery([*found.items()], there_are - len(pictures))


def _short(group: str) -> str:
    """Return the beginning of a heading, which says what kind of pictures they are."""
    return re.split(r"[(:,]", group, maxsplit=1)[0].strip() or group

"""How several data checks read the facts about splits, images, transforms and loaders."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.errors import did_you_mean
from retspec.facts import MOST_NAMED
from retspec.plugin import Inconclusive, SubjectError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from retspec.facts import Images, Splits, Stage

SplitName = Annotated[str, Meta(description="The split to look at; by default the first one, which trains.")]


def class_counts(splits: Splits, split: str | None) -> Mapping[str, int]:
    """Return the images of each class in a split, by default the first.

    Raises SubjectError for a split that does not exist or has no class.
    """
    name = next(iter(splits.counts)) if split is None else split
    if name not in splits.counts:
        raise SubjectError(
            f"there is no split {name!r}{did_you_mean(name, splits.counts)}; there are {', '.join(splits.counts)}",
            path="data",
        )
    if name in splits.unlabelled:
        raise Inconclusive(f"the split {name!r} has no labels")
    if not splits.counts[name]:
        raise SubjectError(f"the split {name!r} has no class", path="data")
    return splits.counts[name]


def require_several(splits: Splits) -> None:
    """Raise Inconclusive for a single split: it cannot be compared with anything."""
    if len(splits.counts) < 2:  # noqa: PLR2004 - it takes two
        raise Inconclusive(f"{', '.join(splits.counts)} is the only split; there is none to compare it with")


def empty_splits(splits: Splits) -> str:
    """Return which splits list no image, as a clause for what was not looked at; empty when all do."""
    empty = [name for name, listed in splits.listed.items() if not listed]
    return f"{', '.join(empty)} lists no image" if empty else ""


def unlabelled(names: Sequence[str]) -> str:
    """Return which splits have no labels, as a clause for what was not looked at; empty when all have."""
    return f"{', '.join(names)} {'has' if len(names) == 1 else 'have'} no labels" if names else ""


def read_of(images: Images) -> str:
    """Return how many of the listed files were read: `11 of 12`."""
    return f"{images.read:,} of {images.listed:,}"


def unread(images: Images) -> str:
    """Return how many of the listed files were not read, as a clause; empty when all were.

    A limit that is met without them has no verdict (`Observed.unseen`).
    """
    if images.read == images.listed:
        return ""
    return f"{read_of(images)} listed files could be read; `missing_files` names those that do not exist"


def undecoded(images: Images) -> str:
    """Return how many of the listed files were decoded, as a clause; empty when all were."""
    if unread(images) or images.decoded == images.listed:
        return unread(images)
    decoded = f"{images.decoded:,} of {images.listed:,} listed files could be decoded"
    if not images.too_large:
        return f"{decoded}; `corrupt_images` names the others"
    first = images.too_large[0]
    return (
        f"{decoded}: {first.file} has {first.reason}, more than Pillow opens, which does not mean that it is damaged; "
        "raise `PIL.Image.MAX_IMAGE_PIXELS` where the training reads it, and say `with: {max_megapixels: ...}` here"
    )


def first_of(name: str, lines: Sequence[str], total: int | None = None) -> dict[str, object]:
    """Return a detail with its first thousand lines, and one with the number of the others where there are more.

    total: how many there are, if `lines` are not all.
    """
    more = (total or len(lines)) - MOST_NAMED
    rest = {f"{name} beyond the first {MOST_NAMED:,}": more} if more > 0 else {}
    return {name: list(lines[:MOST_NAMED]), **rest}


def compiled(patterns: Sequence[str]) -> list[re.Pattern[str]]:
    """Return regular expressions; raises SubjectError for one that is none."""
    try:
        return [re.compile(pattern) for pattern in patterns]
    except re.error as error:
        raise SubjectError(f"allow: {error.pattern!r} is no regular expression: {error}", path="checks") from error


def step_lines(steps: Sequence[Stage]) -> list[str]:
    """Return each step with its milliseconds per image, slowest first."""
    slowest_first = sorted(steps, key=mean_seconds, reverse=True)
    return [f"{step.name}: {1000 * mean_seconds(step):.3g} ms" for step in slowest_first]


def mean_seconds(stage: Stage) -> float:
    """Return the seconds per image of a step, averaged over the rounds."""
    return sum(stage.seconds) / len(stage.seconds)


def pinning_details(lines: Sequence[str]) -> dict[str, list[str]]:
    """Return what is known of a loader's `pin_memory` as details; nothing where nothing is."""
    return {"pin_memory": list(lines)} if lines else {}

"""`near_duplicate_images`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.data._reading import empty_splits, require_several, undecoded
from retspec.facts import Images, NearCopy, Splits
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="images",
    default_limit=0,
    advice="Look at the pairs in the details: keep one of each pair, or move both into the same split. For pictures "
    "that only look alike, lower `max_distance`.",
)
def near_duplicate_images(
    splits: Splits,
    images: Images,
    *,
    max_distance: Annotated[int, Meta(ge=0, le=16, description="Bits of 256 that may differ.")] = 8,
) -> Observed[Count]:
    """Is no image in another split once more, compressed or scaled in another way?

    Why it matters:
        Public collections share photographs, saved again as JPEG or at another size. Their bytes and their pixels
        differ, and the model knows them all the same.

    Example:
        near_duplicate_images: {limit: 0, with: {max_distance: 4}}

    What the number means:
        Images that look like one of another split, without the first of each pair; those with the same pixels count,
        too. Images are compared by a difference hash of 256 bits
        (https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html). It knows no mirrored, turned
        or cropped copies. An image without contrast is not compared: see `blank_images`. Where a file was not decoded,
        a limit that is met has no verdict.
    """
    require_several(splits)
    near = [pair for pair in images.near if pair.distance <= max_distance]
    details = {
        "decoded": f"{images.decoded:,} of {images.listed:,}",
        "pairs": [_line(pair) for pair in sorted(near, key=lambda pair: pair.distance)],
    }
    return Observed(len({pair.second.file for pair in near}), details, empty_splits(splits) or undecoded(images))


def _line(pair: NearCopy) -> str:
    first, second = pair.first, pair.second
    return f"{first.file} ({first.split}) = {second.file} ({second.split}), {pair.distance} bits differ"

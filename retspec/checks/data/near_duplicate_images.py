"""`near_duplicate_images`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.data._reading import empty_splits, first_of, require_several, undecoded
from retspec.facts import Images, NearCopy, Splits
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="images",
    default_limit=0,
    advice="Look at the pairs in the details: keep one of each pair, or move both into the same split. For pictures "
    "that only look alike, raise `min_similarity`.",
)
def near_duplicate_images(
    splits: Splits,
    images: Images,
    *,
    min_similarity: Annotated[
        float, Meta(ge=0.99, le=1, description="Correlation of two images from which they look the same.")
    ] = 0.998,
) -> Observed[Count]:
    """Is no image in another split once more, compressed, scaled or mirrored?

    Why it matters:
        Public collections share photographs, saved again as JPEG, at another size, or mirrored by an augmentation that
        ran before the split. Their bytes and their pixels differ, and the model knows them all the same.

    Example:
        near_duplicate_images: {limit: 0, with: {min_similarity: 0.9995}}

    What the number means:
        Images that look like one of another split, without the first of each pair; those with the same pixels count,
        too. Images are compared by their slowest 255 cosine waves, weighted by frequency, as a correlation: 1 for the
        same image, about 0.999 for copies that were scaled to a third or compressed by JPEG at a quality of 60. It
        also finds mirrored copies, and misses turned and
        cropped ones. An image without contrast is not compared: see `blank_images`. Where a file was not decoded, a
        limit that is met has no verdict.
    """
    require_several(splits)
    near = [pair for pair in images.near if pair.similarity >= min_similarity]
    details = {
        "decoded": f"{images.decoded:,} of {images.listed:,}",
        **first_of("pairs", [_line(pair) for pair in sorted(near, key=lambda pair: -pair.similarity)]),
    }
    return Observed(len({pair.second.file for pair in near}), details, empty_splits(splits) or undecoded(images))


def _line(pair: NearCopy) -> str:
    first, second = pair.first, pair.second
    mirrored = ", mirrored" if pair.mirrored else ""
    return f"{first.file} ({first.split}) = {second.file} ({second.split}), {pair.similarity:.4f}{mirrored}"

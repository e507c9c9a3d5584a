"""`blank_images`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.data._reading import first_of, undecoded
from retspec.facts import Images
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="images",
    default_limit=0,
    advice="Remove the images in the details, or fetch them again; black ones often come from a failed conversion.",
)
def blank_images(
    images: Images,
    *,
    share: Annotated[
        float, Meta(ge=0.95, le=1, description="Share of one value from which an image counts as blank.")
    ] = 0.99,
) -> Observed[Count]:
    """Does every image show something?

    Why it matters:
        A black image with a label is noise in training, and a wrong answer in a test set. A loader takes it without a
        word.

    Example:
        blank_images: 0

    What the number means:
        Images of which 0.99 of the pixels have one value, within two levels of 255, in every channel. Where a file was
        not decoded, a limit that is met has no verdict.
    """
    blank = [f"{each.file}: {each.share:.4f} of one value" for each in images.blank if each.share >= share]
    return Observed(
        len(blank),
        {"decoded": f"{images.decoded:,} of {images.listed:,}", **first_of("files", blank)},
        undecoded(images),
    )

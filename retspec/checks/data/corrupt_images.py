"""`corrupt_images`."""

from __future__ import annotations

from retspec.checks.data._reading import first_of, read_of, undecoded, unread
from retspec.facts import Images
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="images",
    default_limit=0,
    advice="Download the files in the details again, or remove them from the dataset.",
)
def corrupt_images(images: Images) -> Observed[Count]:
    """Can every image be decoded completely?

    Why it matters:
        A truncated file opens, has the right size, and fails only when its pixels are needed. With a lenient loader
        (`PIL.ImageFile.LOAD_TRUNCATED_IMAGES`) it comes out half grey.

    Example:
        corrupt_images: 0

    What the number means:
        Files that exist and cannot be decoded to the last pixel. Every file is read. A limit that is met has no verdict
        where a listed file is not there, or has more pixels than Pillow opens (twice `PIL.Image.MAX_IMAGE_PIXELS`, 179
        megapixels by default). That is no damage: `with: {max_megapixels: 400}` decodes larger ones.
    """
    files = [f"{each.file}: {each.reason}" for each in images.corrupt]
    large = [f"{each.file}: {each.reason}" for each in images.too_large]
    details = {"read": read_of(images), **first_of("files", files), "beyond Pillow's limit": large}
    return Observed(len(files), details, unread(images) or (undecoded(images) if large else ""))

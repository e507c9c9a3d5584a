"""`corrupt_images`."""

from __future__ import annotations

from retspec.checks.data._reading import require_read
from retspec.facts import Images
from retspec.plugin import Observed, check


@check(
    direction="at most",
    unit="images",
    default_limit=0,
    advice="Download the files in the details again, or remove them from the dataset.",
)
def corrupt_images(images: Images) -> Observed[int]:
    """Can every image be decoded completely?

    Why it matters:
        A truncated file opens, has the right size, and fails only when its pixels are needed. With a lenient loader
        (`PIL.ImageFile.LOAD_TRUNCATED_IMAGES`) it comes out half grey.

    Example:
        corrupt_images: 0

    What the number means:
        Files that exist and cannot be decoded to the last pixel. Every file was read.
    """
    require_read(images)
    files = [f"{each.file}: {each.reason}" for each in images.corrupt]
    return Observed(len(files), {"read": images.read, "files": files})

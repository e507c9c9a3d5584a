"""`unusual_images`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.data._reading import compiled, first_of, undecoded
from retspec.facts import Images
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="images",
    default_limit=0,
    advice="Convert the images in the details to 8 bits of RGB with a scale that you choose, and turn them by their "
    "Exif data (`PIL.ImageOps.exif_transpose`). Allow what you know by a regular expression: `with: {allow: [grey]}`.",
)
def unusual_images(
    images: Images,
    *,
    allow: Annotated[
        list[str],
        Meta(description="Regular expressions. A reason is not counted if one is found in `file: reason`."),
    ] = [],  # noqa: B006 - read only
) -> Observed[Count]:
    """Does every image come out of `convert("RGB")` as it looks?

    Why it matters:
        torchvision and timm open every file and call `convert("RGB")`. It clips 16 bits at 255, so that a scan becomes
        white, uncovers what is beneath transparency, and leaves images that a camera turned as they lie.

    Example:
        unusual_images: {limit: 0, with: {allow: [orientation, "^masks/"]}}

    What the number means:
        Images with more than 8 bits a value, a mode such as CMYK, transparent pixels, an orientation in their Exif
        data, several frames, or values that end below 16 of 255; images that are grey where most are in colour, or the
        other way round; and those whose shorter side is less than an eighth of the median, or more than eight times as
        long. Where a file was not decoded, a limit that is met has no verdict.
    """
    allowed = compiled(allow)
    lines = {f"{each.file}: {each.reason}": each.file for each in images.unusual}
    counted = {line: file for line, file in lines.items() if not any(pattern.search(line) for pattern in allowed)}
    details = {
        "decoded": f"{images.decoded:,} of {images.listed:,}",
        "modes": dict(images.kinds),
        **first_of("files", list(counted)),
        **first_of("allowed", [line for line in lines if line not in counted]),
    }
    return Observed(len(set(counted.values())), details, undecoded(images))

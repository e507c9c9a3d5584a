"""`missing_files`, `corrupt_images` and `duplicate_images`: whether every image is there, whole, and once."""

from __future__ import annotations

from retspec.facts import Images, Splits
from retspec.plugin import Inconclusive, Observed, check


@check(
    direction="at most",
    unit="files",
    default_limit=0,
    advice="Compare the paths in the details with the folder: a missing `extension`, another `images` folder, or a "
    "download that was cut off.",
)
def missing_files(splits: Splits) -> Observed[int]:
    """Is every image there?

    Why it matters:
        A loader meets a missing file in the middle of an epoch, hours in; one that skips it trains on less than you
        think.

    Example:
        missing_files: 0

    What the number means:
        Different files that the dataset lists and that are not there.
    """
    return Observed(len(splits.missing), {"files": list(splits.missing), "notes": list(splits.notes)})


@check(
    direction="at most",
    unit="images",
    default_limit=0,
    advice="Fetch the files in the details again, or take them out of the dataset.",
)
def corrupt_images(images: Images) -> Observed[int]:
    """Can every image be decoded to its last pixel?

    Why it matters:
        A truncated file opens, has the right size, and fails only when its pixels are needed; or comes out half grey
        where a loader was told to be lenient.

    Example:
        corrupt_images: 0

    What the number means:
        Files that are there and cannot be decoded whole. Every file was read.
    """
    _require_read(images)
    files = [f"{each.file}: {each.reason}" for each in images.corrupt]
    return Observed(len(files), {"read": images.read, "files": files})


@check(
    direction="at most",
    unit="copies",
    default_limit=0,
    advice="Keep one of each; where copies stand in different classes, find out which label is right.",
)
def duplicate_images(images: Images) -> Observed[int]:
    """Is every image there only once?

    Why it matters:
        A copy weighs double, and a copy under another label teaches the model that both are right.

    Example:
        duplicate_images: 0

    What the number means:
        Images whose bytes another image has too, not counting the first of each; over all splits. `split_leakage`
        counts those that stand in two splits.
    """
    _require_read(images)
    torn = [copies for copies in images.identical if len({copy.class_name for copy in copies}) > 1]
    details = {
        "read": images.read,
        "in different classes": [" = ".join(f"{copy.file} ({copy.class_name})" for copy in copies) for copies in torn],
        "identical": [" = ".join(copy.file for copy in copies) for copies in images.identical],
    }
    return Observed(sum(len(copies) - 1 for copies in images.identical), details)


def _require_read(images: Images) -> None:
    if images.read == 0 and not images.corrupt:
        raise Inconclusive("not one file could be read; `missing_files` tells which there should be")

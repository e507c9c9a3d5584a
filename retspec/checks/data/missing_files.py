"""`missing_files`."""

from __future__ import annotations

from retspec.facts import Splits
from retspec.plugin import Observed, check


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

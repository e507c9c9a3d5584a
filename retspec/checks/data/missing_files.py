"""`missing_files`."""

from __future__ import annotations

from retspec.checks.data._reading import first_of
from retspec.facts import Splits
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="files",
    default_limit=0,
    advice="Compare the paths in the details with the folder: a missing `extension`, the wrong `images` folder, or an"
    " interrupted download.",
)
def missing_files(splits: Splits) -> Observed[Count]:
    """Does every image file exist?

    Why it matters:
        A loader meets a missing file in the middle of an epoch, hours into the run; one that skips it trains on less
        data than you think.

    Example:
        missing_files: 0

    What the number means:
        Different files that the dataset lists and that do not exist; a link to nothing and a pipe are no files. The
        details name the first thousand, and the file that is nearly called so: in another case, Unicode form, folder,
        with another suffix, without its zeros, with backslashes.
    """
    total = f"{splits.absent:,} of {splits.files:,}"
    files = [f"{file}: {splits.near[file]}" if file in splits.near else file for file in splits.missing]
    details = {"missing": total, **first_of("files", files, splits.absent), "notes": list(splits.notes)}
    return Observed(splits.absent, details)

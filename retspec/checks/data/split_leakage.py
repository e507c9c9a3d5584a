"""`split_leakage`."""

from __future__ import annotations

from retspec.checks.data._reading import require_several
from retspec.facts import Images, Splits
from retspec.plugin import Inconclusive, Observed, check


@check(
    direction="at most",
    unit="leaks",
    default_limit=0,
    advice="Remove the images and groups in the details from all splits but one; split by patient, not by image.",
)
def split_leakage(splits: Splits, images: Images) -> Observed[int]:
    """Is every image, and every patient, in only one split?

    Why it matters:
        The model can memorize what it saw in training. A test set that holds the same image, or the other eye of the
        same patient, measures memory (https://doi.org/10.1016/j.patter.2023.100804).

    Example:
        split_leakage: 0

    What the number means:
        Distinct images, compared by their bytes, that are in two or more splits, plus groups (`group_column`) that are.
    """
    require_several(splits)
    if images.read == 0 and not splits.has_groups:
        raise Inconclusive("not one file could be read, and there are no groups; see `missing_files`")
    leaks = [copies for copies in images.identical if len({copy.split for copy in copies}) > 1]
    details = {
        "images": [" = ".join(f"{copy.file} ({copy.split})" for copy in copies) for copies in leaks],
        "groups": [f"{each.group} in {', '.join(each.splits)}" for each in splits.shared_groups],
        "compared by": "bytes and group" if splits.has_groups else "bytes alone; no `group_column` is given",
    }
    return Observed(len(leaks) + len(splits.shared_groups), details)

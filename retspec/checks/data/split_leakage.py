"""`split_leakage`."""

from __future__ import annotations

from retspec.checks.data._reading import require_several
from retspec.facts import Images, Splits
from retspec.plugin import Inconclusive, Observed, check


@check(
    direction="at most",
    unit="leaks",
    default_limit=0,
    advice="Take the images and groups in the details out of all splits but one; split by patient, not by image.",
)
def split_leakage(splits: Splits, images: Images) -> Observed[int]:
    """Is every image, and every patient, in one split only?

    Why it matters:
        What the model saw in training it knows by heart. A test that holds the same image, or the other eye of the same
        patient, measures memory.

    Example:
        split_leakage: 0

    What the number means:
        Different images, told by their bytes, that stand in two splits or more, and groups (`group_column`) that do.
    """
    require_several(splits)
    if images.read == 0 and not splits.has_groups:
        raise Inconclusive("not one file could be read, and there are no groups; `missing_files` tells more")
    leaks = [copies for copies in images.identical if len({copy.split for copy in copies}) > 1]
    details = {
        "images": [" = ".join(f"{copy.file} ({copy.split})" for copy in copies) for copies in leaks],
        "groups": [f"{each.group} in {', '.join(each.splits)}" for each in splits.shared_groups],
        "compared by": "bytes and group" if splits.has_groups else "bytes alone; no `group_column` is given",
    }
    return Observed(len(leaks) + len(splits.shared_groups), details)

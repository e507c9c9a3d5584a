"""`split_leakage`."""

from __future__ import annotations

from retspec.checks.data._reading import empty_splits, first_of, read_of, require_several, unread
from retspec.facts import Images, Splits
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="leaks",
    default_limit=0,
    advice="Remove the images and groups in the details from all splits but one; split by patient, not by image.",
)
def split_leakage(splits: Splits, images: Images) -> Observed[Count]:
    """Is every image, and every patient, in only one split?

    Why it matters:
        The model can memorize what it saw in training. A test set that holds the same image, or the other eye of the
        same patient, measures memory (https://doi.org/10.1016/j.patter.2023.100804).

    Example:
        split_leakage: 0

    What the number means:
        Distinct images that are in two or more splits, compared by their bytes and their decoded pixels, plus groups
        that are (`group` of any source, `group_column` of a table). A file that two splits list counts without being
        read. Where a listed file is not there, or a split lists none, a limit that is met has no verdict; nor where
        files in two splits are named like two eyes of one patient, as `10_left` and `10_right`, and no group is given.
    """
    require_several(splits)
    leaks = [copies for copies in images.identical if len({copy.split for copy in copies}) > 1]
    details = {
        "read": read_of(images),
        **first_of("images", [" = ".join(f"{copy.file} ({copy.split})" for copy in copies) for copies in leaks]),
        **first_of("groups", [f"{each.group} in {', '.join(each.splits)}" for each in splits.shared_groups]),
        "compared by": "bytes, pixels and group" if splits.has_groups else "bytes and pixels; no `group` is given",
    }
    unseen = empty_splits(splits) or unread(images) or _unsaid(splits)
    return Observed(len(leaks) + len(splits.shared_groups), details, unseen)


def _unsaid(splits: Splits) -> str:
    """Return which files look like two eyes of one patient in two splits, as a clause; empty when none do."""
    if splits.eyes is None or not splits.eyes.across:
        return ""
    pair = splits.eyes.first
    named = " and ".join(
        f"{file} ({split})" for file, split in zip((pair.first, pair.second), pair.splits, strict=True)
    )
    return (
        f"{splits.eyes.across:,} pairs of files such as {named} are named like two eyes of one patient, and no group "
        f"is given; say `group: {{pattern: '{pair.pattern}'}}` under `data`"
    )

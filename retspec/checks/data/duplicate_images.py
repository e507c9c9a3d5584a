"""`duplicate_images`."""

from __future__ import annotations

from retspec.checks.data._reading import first_of, read_of, unread
from retspec.facts import Images
from retspec.plugin import Count, Observed, check


@check(
    direction="at most",
    unit="copies",
    default_limit=0,
    advice="Keep one of each; where copies are in different classes, find out which label is right.",
)
def duplicate_images(images: Images) -> Observed[Count]:
    """Is every image in the dataset only once?

    Why it matters:
        A copy counts twice, and a copy under another label teaches the model that both are right.

    Example:
        duplicate_images: 0

    What the number means:
        Images whose bytes or decoded pixels another image has too, over all splits, without the first of each.
        `split_leakage` counts those that are in two splits. Where a listed file is not there, a limit that is met
        has no verdict.
    """
    torn = [copies for copies in images.identical if len({copy.class_name for copy in copies}) > 1]
    details = {
        "read": read_of(images),
        **first_of(
            "in different classes",
            [" = ".join(f"{copy.file} ({copy.class_name})" for copy in copies) for copies in torn],
        ),
        **first_of("identical", [" = ".join(copy.file for copy in copies) for copies in images.identical]),
    }
    return Observed(sum(len(copies) - 1 for copies in images.identical), details, unread(images))

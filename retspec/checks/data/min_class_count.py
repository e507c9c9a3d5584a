"""`min_class_count`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.data._reading import SplitName, class_counts
from retspec.facts import Splits
from retspec.plugin import Observed, check


@check(
    direction="at least",
    unit="images",
    advice="Collect more images of the classes in the details, or merge classes; a handful of images is too few to "
    "train on or to evaluate.",
)
def min_class_count(splits: Splits, *, split: SplitName | None = None) -> Observed[Annotated[int, Meta(ge=0)]]:
    """How many images does the smallest class have?

    Why it matters:
        A class without images cannot be learned, and metrics over a handful of images are noise.

    Example:
        min_class_count: {limit: 20, with: {split: test}}

    What the number means:
        Images of the smallest class of the split. The classes are those of all splits: one that this split lacks counts
        0.
    """
    counts = class_counts(splits, split)
    return Observed(min(counts.values()), {"images": counts})

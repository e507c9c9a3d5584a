"""`max_class_imbalance` and `min_class_count`: how many images each class has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.errors import did_you_mean
from retspec.facts import Splits
from retspec.plugin import Observed, SubjectError, check

if TYPE_CHECKING:
    from collections.abc import Mapping

Split = Annotated[str, Meta(description="The split to look at; by default the first one, which trains.")]


@check(
    direction="at most",
    advice="Weight the loss by the class weights in the details, or draw rare classes more often "
    "(`torch.utils.data.WeightedRandomSampler`), and watch the recall of every class, not the accuracy.",
)
def max_class_imbalance(splits: Splits, *, split: Split | None = None) -> Observed[Annotated[float, Meta(ge=1)]]:
    """How much larger is the largest class than the smallest?

    Why it matters:
        A model that never names a rare class still looks accurate. In screening the rare class is the one that counts.

    Example:
        max_class_imbalance: 10

    What the number means:
        Images of the largest class of the split divided by those of the smallest; 10 is the customary bar (APTOS has
        9.4, Messidor-2 has 29). No verdict when a class has no image at all: `min_class_count` tells that.
    """
    counts = _counts(splits, split)
    empty = [name for name, count in counts.items() if count == 0]
    if empty:
        raise SubjectError(f"class {empty[0]!r} has no image; `min_class_count` counts them", path="data")
    mean = sum(counts.values()) / len(counts)
    weights = {name: round(mean / count, 3) for name, count in counts.items()}
    return Observed(max(counts.values()) / min(counts.values()), {"images": counts, "class weights": weights})


@check(
    direction="at least",
    unit="images",
    advice="Gather more images of the classes in the details, or merge classes; a class of a handful can be neither "
    "learnt nor judged.",
)
def min_class_count(splits: Splits, *, split: Split | None = None) -> Observed[Annotated[int, Meta(ge=0)]]:
    """How many images has the smallest class?

    Why it matters:
        A class that is not there cannot be learnt, and metrics over a handful of images are noise.

    Example:
        min_class_count: {limit: 20, with: {split: test}}

    What the number means:
        Images of the smallest class of the split. Classes are those of all splits, so one that this split lacks is 0.
    """
    counts = _counts(splits, split)
    return Observed(min(counts.values()), {"images": counts})


def _counts(splits: Splits, split: str | None) -> Mapping[str, int]:
    name = next(iter(splits.counts)) if split is None else split
    if name not in splits.counts:
        raise SubjectError(
            f"there is no split {name!r}{did_you_mean(name, splits.counts)}; there are {', '.join(splits.counts)}",
            path="data",
        )
    if not splits.counts[name]:
        raise SubjectError(f"the split {name!r} has no class", path="data")
    return splits.counts[name]

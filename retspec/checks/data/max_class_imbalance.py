"""`max_class_imbalance`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from retspec.checks.data._reading import SplitName, class_counts
from retspec.facts import Splits
from retspec.plugin import Observed, SubjectError, check


@check(
    direction="at most",
    advice="Weight the loss by the class weights in the details, or draw rare classes more often "
    "(`torch.utils.data.WeightedRandomSampler`), and watch the recall of every class, not the accuracy.",
)
def max_class_imbalance(
    splits: Splits, *, split: SplitName | None = None
) -> Observed[Annotated[float, Meta(ge=1, extra={"rare": 10**6})]]:
    """How much larger is the largest class than the smallest?

    Why it matters:
        A model that never predicts a rare class can still be accurate. In screening the rare class is the one that
        counts.

    Example:
        max_class_imbalance: 10

    What the number means:
        Images of the largest class of the split divided by those of the smallest. 10 is a rule of thumb (APTOS has 9.4,
        Messidor-2 has 29). The class weights in the details are images / (classes x images of the class), as in
        scikit-learn's `class_weight="balanced"`. No verdict when a class has no image at all: see `min_class_count`.
    """
    counts = class_counts(splits, split)
    empty = [name for name, count in counts.items() if count == 0]
    if empty:
        raise SubjectError(f"class {empty[0]!r} has no image; `min_class_count` counts them", path="data")
    mean = sum(counts.values()) / len(counts)
    weights = {name: round(mean / count, 3) for name, count in counts.items()}
    return Observed(max(counts.values()) / min(counts.values()), {"images": counts, "class weights": weights})

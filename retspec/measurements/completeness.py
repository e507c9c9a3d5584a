"""The measurement `completeness`: whether each image of the judged split has one row, with scores."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from retspec.errors import SubjectError
from retspec.facts import MOST_NAMED, Statistic
from retspec.plugin import Cost, measurement

if TYPE_CHECKING:
    from retspec.facts import Predictions
    from retspec.subjects.predictions.reading import PredictionReader

ListFile = Annotated[str, Meta(min_length=1, description="A table of the images that the split should have.")]
ListColumn = Annotated[str, Meta(min_length=1, description="Its column of images; by default named like `id`.")]


@measurement(cost=Cost.STATIC, needs_torch=False)
def completeness(
    predictions: Predictions,
    prediction_files: PredictionReader,
    *,
    listed_in: ListFile | None = None,
    listed_as: ListColumn | None = None,
) -> Statistic:
    """Count the images that are missing, there twice or unknown, and those whose scores are not finite."""
    import numpy as np

    table = predictions.judged
    seen = Counter(table.ids)
    listed = None if listed_in is None else prediction_files.ids_of(listed_in, listed_as)
    own = prediction_files.listed(predictions.split) if listed is None else ()
    if seen.keys() & set(own):
        listed = [*own]
    if listed is not None and not seen.keys() & set(listed):
        raise SubjectError(
            f"no image of {listed_in} is in {predictions.source}: {listed[0]!r} there, {table.ids[0]!r} here; name "
            "columns that agree",
            path="checks",
        )
    known = set(listed or ())
    wrong = {
        "missing": [] if listed is None else [each for each in dict.fromkeys(listed) if each not in seen],
        "twice": [each for each, number in seen.items() if number > 1],
        "unknown": [] if listed is None else [each for each in seen if each not in known],
        "without finite scores": [table.ids[row] for row in np.flatnonzero(~np.isfinite(table.scores).all(axis=1))],
    }
    details = {name: found[:MOST_NAMED] for name, found in wrong.items()}
    total = sum(map(len, wrong.values()))
    few = (
        ""
        if listed
        else "no list (`listed_in`, or the split of `data`) says which images there should be, and a missing one "
        "cannot be seen"
    )
    return Statistic(total, None, {"rows": len(table.ids), "listed": len(set(listed or ())), **details}, few)

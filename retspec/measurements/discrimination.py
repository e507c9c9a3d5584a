"""The measurement `auroc`: whether positive images have higher scores than negative ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.facts import Statistic
from retspec.plugin import Cost, measurement
from retspec.subjects.predictions.binary import (
    Binary,
    FewestPatients,
    Level,
    Positive,
    binary,
    each_class,
    too_few,
)
from retspec.subjects.predictions.plotting import MOST_CURVES, roc_of

if TYPE_CHECKING:
    from retspec.facts import Predictions
    from retspec.statistics.auroc import Area

_LOGIT = "Obuchowski's variance on the logit scale"


@measurement(cost=Cost.STATIC, needs_torch=False)
def auroc(
    predictions: Predictions,
    *,
    positive: Positive | None = None,
    level: Level = 0.95,
    min_patients: FewestPatients = 30,
) -> Statistic:
    """Compute the area under the ROC curve: of the positive classes, or the mean of each class against the others."""
    if positive is not None or len(predictions.classes) == 2:  # noqa: PLR2004 - a question with two answers
        return of_one(binary(predictions, positive), level, min_patients)
    return _of_all(predictions, level, min_patients)


def of_one(images: Binary, level: float, fewest: int) -> Statistic:
    """Return the area of positive images against negative ones, with its interval."""
    from retspec.statistics.auroc import area

    found, counts = area(images.truth, images.scores, images.units), kinds_of(images)
    ends, method = ends_of(found, min(counts.values()), level)
    return Statistic(
        found.value,
        images.interval(ends, level, method),
        {"positive": images.positive, **_counted(counts, images), "method": method},
        too_few(counts, fewest, by_patient=images.by_patient),
        (roc_of({images.positive: images}),),
    )


def _of_all(predictions: Predictions, level: float, fewest: int) -> Statistic:
    from retspec.statistics.auroc import area, mean_of
    from retspec.statistics.clusters import counted

    areas: dict[str, Area] = {}
    counts: dict[str, int] = {}
    drawn: dict[str, Binary] = {}
    for name, images in each_class(predictions):
        areas[name] = area(images.truth, images.scores, images.units)
        counts[f"{name!r}"] = counted(images.truth, images.units)
        if len(drawn) < MOST_CURVES:
            drawn[name] = images
    found, images = mean_of([*areas.values()]), next(iter(drawn.values()))
    ends, method = ends_of(found, min(counts.values()), level)
    interval = images.interval(ends, level, f"mean over classes, {method}")
    by_class = {name: round(found.value, 4) for name, found in areas.items()}
    return Statistic(
        found.value,
        interval,
        {"by class": by_class, **_counted(counts, images), "method": interval.method},
        too_few(counts, fewest, by_patient=images.by_patient),
        (roc_of(drawn),),
    )


def ends_of(found: Area, patients: int, level: float) -> tuple[tuple[float, float], str]:
    """Return the ends of the interval, and what it is."""
    from math import isfinite

    from retspec.statistics.auroc import interval, separated

    if found.value >= 1:
        return (separated(patients, level), 1.0), "no pair out of order: exact for the patients of the rarer kind"
    if found.value <= 0 or not isfinite(found.variance):
        return (0.0, 1.0), "no interval can be computed"
    return interval(found, level), _LOGIT


def kinds_of(images: Binary) -> dict[str, int]:
    """Return how many patients have a positive image, and a negative one."""
    from retspec.statistics.clusters import counted

    return {"positive": counted(images.truth, images.units), "negative": counted(~images.truth, images.units)}


def _counted(counts: dict[str, int], images: Binary) -> dict[str, object]:
    return {"patients" if images.by_patient else "images": counts}

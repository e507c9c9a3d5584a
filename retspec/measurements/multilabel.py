"""The measurement `label_aurocs`: the area under the ROC curve of each of several labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from retspec.errors import Inconclusive
from retspec.facts import Forest, ForestRow, Statistic
from retspec.measurements.discrimination import ends_of, kinds_of, of_one
from retspec.plugin import Cost, measurement
from retspec.subjects.predictions.binary import MOST_NAMED, Binary, FewestPatients, Level, interval_of
from retspec.subjects.predictions.plotting import lowest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from retspec.facts import PredictedNumbers
    from retspec.records import Interval


Average = Annotated[
    Literal["worst", "macro"], Meta(description="What counts of all labels: the worst one, or their mean.")
]


@measurement(cost=Cost.STATIC, needs_torch=False)
def label_aurocs(
    label_scores: PredictedNumbers,
    *,
    average: Average = "worst",
    level: Level = 0.95,
    min_patients: FewestPatients = 30,
) -> Statistic:
    """Compute the area under the ROC curve of each label; the value is that of the worst one, or their mean."""
    images = {name: _of_label(label_scores, place) for place, name in enumerate(label_scores.names)}
    found = {name: of_one(each, level, min_patients) for name, each in images.items()}
    worst = min(found, key=lambda name: found[name].value)
    ends = {name: each.interval for name, each in found.items() if each.interval is not None}
    value, interval = (
        (found[worst].value, _of_worst(label_scores, found, ends, worst))
        if average == "worst"
        else _of_mean(images, level)
    )
    details = {
        "worst label": worst,
        "auroc": {
            name: f"{found[name].value:.4g} ({each.lower:.4g} to {each.upper:.4g}), {each.positives:,} positive"
            for name, each in sorted(ends.items(), key=lambda pair: found[pair[0]].value)
        },
        "method": interval.method,
    }
    lacking = [f"of {name!r} {each.few}" for name, each in found.items() if each.few]
    more = [f"and the like of {len(lacking) - MOST_NAMED:,} more labels"] if len(lacking) > MOST_NAMED else []
    few = "; ".join([*lacking[:MOST_NAMED], *more])
    rows = (ForestRow(name, found[name].value, each.lower, each.upper) for name, each in ends.items())
    return Statistic(value, interval, details, few, (Forest("AUROC by label", lowest_of(rows)),))


def _of_worst(
    scores: PredictedNumbers, found: Mapping[str, Statistic], ends: Mapping[str, Interval], worst: str
) -> Interval:
    decides = min(ends, key=lambda name: ends[name].lower)
    return interval_of(
        scores.units,
        (ends[decides].lower, ends[worst].upper),
        ends[worst].level,
        "Obuchowski's variance on the logit scale; the lowest lower end of all",
        by_patient=scores.by_patient,
        positives=ends[decides].positives,
        scale="logit",
        about=f"for the label {decides!r}",
        estimate=found[decides].value,
    )


def _of_mean(images: Mapping[str, Binary], level: float) -> tuple[float, Interval]:
    """Return the mean of the areas, whose variance has what one patient adds to several labels."""
    from retspec.statistics.auroc import area, mean_of

    mean = mean_of([area(each.truth, each.scores, each.units) for each in images.values()])
    rarest = min(min(kinds_of(each).values()) for each in images.values())
    ends, method = ends_of(mean, rarest, level)
    first = next(iter(images.values()))
    method = f"mean over labels, {method}"
    return mean.value, interval_of(first.units, ends, level, method, by_patient=first.by_patient, scale="logit")


def _of_label(scores: PredictedNumbers, place: int) -> Binary:
    """Return the images as positive and negative ones by one label.

    Raises Inconclusive where all are of one kind, or have the same probability.
    """
    import numpy as np

    truth, given = scores.truths[:, place] > 0, scores.predicted[:, place]
    name = scores.names[place]
    if truth.all() or not truth.any():
        raise Inconclusive(f"{'every' if truth.all() else 'no'} image has the label {name!r}, of {len(truth):,}")
    if np.ptp(given) == 0:
        raise Inconclusive(f"all {len(given):,} images have the same score of {name!r}, {given[0]:.4g}")
    return Binary(truth, given, scores.units, scores.by_patient, name)

"""The measurement `label_aurocs`: the area under the ROC curve of each of several labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import Inconclusive
from retspec.facts import Forest, ForestRow, Statistic
from retspec.measurements.discrimination import of_one
from retspec.plugin import Cost, measurement
from retspec.subjects.predictions.binary import Binary, FewestPatients, Level, interval_of
from retspec.subjects.predictions.plotting import lowest_of

if TYPE_CHECKING:
    from retspec.facts import PredictedNumbers


@measurement(cost=Cost.STATIC, needs_torch=False)
def label_aurocs(
    label_scores: PredictedNumbers, *, level: Level = 0.95, min_patients: FewestPatients = 30
) -> Statistic:
    """Compute the area under the ROC curve of each label; the value is that of the worst one."""
    found = {
        name: of_one(_of_label(label_scores, place), level, min_patients)
        for place, name in enumerate(label_scores.names)
    }
    worst = min(found, key=lambda name: found[name].value)
    ends = {name: each.interval for name, each in found.items() if each.interval is not None}
    decides = min(ends, key=lambda name: ends[name].lower)
    interval = interval_of(
        label_scores.units,
        (ends[decides].lower, ends[worst].upper),
        level,
        "Obuchowski's variance on the logit scale; the lowest lower end of all",
        by_patient=label_scores.by_patient,
        positives=ends[decides].positives,
        scale="logit",
        about=f"for the label {decides!r}",
        estimate=found[decides].value,
    )
    details = {
        "worst label": worst,
        "auroc": {
            name: f"{found[name].value:.4g} ({each.lower:.4g} to {each.upper:.4g}), {each.positives:,} positive"
            for name, each in sorted(ends.items(), key=lambda pair: found[pair[0]].value)
        },
        "method": interval.method,
    }
    few = "; ".join(f"of {name!r} {each.few}" for name, each in found.items() if each.few)
    rows = (ForestRow(name, found[name].value, each.lower, each.upper) for name, each in ends.items())
    return Statistic(found[worst].value, interval, details, few, (Forest("AUROC by label", lowest_of(rows)),))


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

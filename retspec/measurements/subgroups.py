"""The measurements over subgroups, such as sexes and cameras: what they have in common, and what sets them apart."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from retspec.errors import Inconclusive
from retspec.facts import Statistic
from retspec.measurements.operating_points import Threshold, right_side, shown
from retspec.plugin import Cost, measurement
from retspec.subjects.predictions.binary import Binary, FewestPatients, Level, Positive, binary, too_few
from retspec.subjects.predictions.members import Chosen, members_of, require_two
from retspec.subjects.predictions.plotting import forest_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from retspec.facts import Predictions
    from retspec.statistics.shares import Share

_RATES = {"positive": "sensitivity", "negative": "specificity"}


@measurement(cost=Cost.STATIC, needs_torch=False)
def subgroup_gaps(
    predictions: Predictions,
    *,
    threshold: Threshold,
    positive: Positive | None = None,
    subgroups: Chosen | None = None,
    level: Level = 0.95,
    min_patients: FewestPatients = 30,
) -> Statistic:
    """Compute how far the sensitivities, or the specificities, of two subgroups lie apart; the worst pair counts."""
    import numpy as np

    from retspec.statistics.shares import difference

    images = binary(predictions, positive)
    rates: dict[str, dict[str, Share]] = {}
    counts: dict[str, int] = {}
    members = _members(predictions, subgroups)
    for column, places_of in members.items():
        require_two(column, places_of)
        for kind, name in _RATES.items():
            found = {value: _rate(images, kind, places, threshold, level) for value, places in places_of.items()}
            counts |= {f"{kind} {column}={value}": each.patients if each else 0 for value, each in found.items()}
            rates[f"{name} by {column}"] = {value: each for value, each in found.items() if each}
    if few := too_few(counts, min_patients, by_patient=images.by_patient):
        raise Inconclusive(f"{few}: of {images.positive}, at {threshold}")
    pairs = [
        (difference(first, second), rate, (one, other))
        for rate, found in rates.items()
        for (one, first), (other, second) in combinations(sorted(found.items(), key=lambda each: -each[1].value), 2)
    ]
    (value, lower, _), rate, pair = max(pairs, key=lambda each: each[0][0])
    worst = f"{rate}: {pair[0]} and {pair[1]}"
    (estimate, _, upper), rate, pair = max(pairs, key=lambda each: each[0][2])
    name, _, column = rate.partition(" by ")
    of = images.truth if name == _RATES["positive"] else ~images.truth
    interval = images.interval(
        (max(lower, 0.0), upper),
        level,
        "Newcombe's interval; its upper end is the highest of all pairs",
        of=of & np.logical_or(*(members[column][each] for each in pair)),
        scale="linear",
        about=f"whose {column} is {pair[0]} or {pair[1]}, which decide the {name},",
        estimate=estimate,
    )
    details: dict[str, Any] = {
        "worst pair": worst,
        **{rate: {name: shown(each) for name, each in found.items()} for rate, found in rates.items()},
        "method": interval.method,
    }
    return Statistic(value, interval, details, plots=tuple(forest_of(rate, found) for rate, found in rates.items()))


@measurement(cost=Cost.STATIC, needs_torch=False)
def subgroup_positives(
    predictions: Predictions, *, positive: Positive | None = None, subgroups: Chosen | None = None
) -> Statistic:
    """Count the patients with a positive image in each subgroup; the value is that of the smallest."""
    from retspec.statistics.clusters import counted

    images = binary(predictions, positive)
    counts = {
        f"{column}={value}": counted(images.truth & places, images.units)
        for column, members in _members(predictions, subgroups).items()
        for value, places in members.items()
    }
    unit = "positive patients" if images.by_patient else "positive images"
    return Statistic(min(counts.values()), None, {unit: counts, "positive": images.positive})


def _members(predictions: Predictions, chosen: list[str] | None) -> dict[str, dict[str, NDArray[np.bool_]]]:
    splits = [table.subgroups for table in predictions.tables.values()]
    return members_of(predictions.judged.subgroups, chosen, splits)


def _rate(images: Binary, kind: str, places: NDArray[np.bool_], threshold: float, level: float) -> Share | None:
    """Return a rate of some images; None where none of them is of the kind."""
    chosen = places & (images.truth if kind == "positive" else ~images.truth)
    if not chosen.any():
        return None
    part = Binary(images.truth[chosen], images.scores[chosen], images.units[chosen], images.by_patient, images.positive)
    return right_side(part, kind, threshold, level)

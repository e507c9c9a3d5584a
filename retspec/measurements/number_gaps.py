"""The measurements `error_gaps` and `dice_gaps`: how far errors of values, or masks, of subgroups differ."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from msgspec import Meta

from retspec.errors import Inconclusive
from retspec.facts import Forest, ForestRow, Statistic
from retspec.measurements.regression import require_variation
from retspec.measurements.segmentation import dice_of, incomplete
from retspec.plugin import Cost, measurement
from retspec.subjects.predictions.binary import FewestPatients, Level, interval_of, too_few
from retspec.subjects.predictions.members import Chosen, members_of, require_two
from retspec.subjects.predictions.plotting import lowest_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from retspec.facts import Overlaps, PredictedNumbers
    from retspec.records import Interval
    from retspec.statistics.regression import Estimate

ErrorMetric = Annotated[
    Literal["mae", "r2"],
    Meta(description="The mean absolute error, or R², which also differs where the true values vary less."),
]
_NAMES = {"mae": "mean absolute error", "r2": "R²"}
_MEANS = "normal, with the variance between patients"


class _Column(NamedTuple):
    """A number of each value of a column, and how two of them differ."""

    title: str
    column: str
    found: dict[str, Estimate]
    masks: dict[str, NDArray[np.bool_]]
    between: Callable[[str, str], Estimate]


@measurement(cost=Cost.STATIC, needs_torch=False)
def error_gaps(
    predicted_values: PredictedNumbers,
    *,
    metric: ErrorMetric = "mae",
    subgroups: Chosen | None = None,
    level: Level = 0.95,
    min_patients: FewestPatients = 30,
) -> Statistic:
    """Compute how far the errors of predicted values of two subgroups lie apart; the worst pair counts."""
    import numpy as np

    values = predicted_values
    require_variation(values)
    members = members_of(values.subgroups, subgroups)
    _require_enough(members, values.units, min_patients, by_patient=values.by_patient)
    truths, predicted = values.truths[:, 0], values.predicted[:, 0]
    columns = [
        _of_means(f"{_NAMES[metric]} by {column}", column, np.abs(predicted - truths), masks, values.units, level)
        if metric == "mae"
        else _of_r2(values, column, masks, level)
        for column, masks in members.items()
    ]
    method = _MEANS if metric == "mae" else "bootstrap, 2,000 rounds"
    return _statistic(columns, values.units, level, method, by_patient=values.by_patient)


@measurement(cost=Cost.STATIC, needs_torch=False)
def dice_gaps(
    overlaps: Overlaps, *, subgroups: Chosen | None = None, level: Level = 0.95, min_patients: FewestPatients = 30
) -> Statistic:
    """Compute how far the mean Dice of a structure lies apart in two subgroups; the worst structure and pair count.

    A case whose true and predicted masks are both empty has no Dice, and is left out.
    """
    import numpy as np

    members = members_of(overlaps.subgroups, subgroups)
    there = overlaps.counts.sum(axis=1) > 0
    dice = np.zeros(len(there))
    dice[there] = dice_of(overlaps.counts[there])
    columns = []
    for name in dict.fromkeys(overlaps.structures):
        here = there & (np.array(overlaps.structures) == name)
        chosen = {column: {value: mask & here for value, mask in masks.items()} for column, masks in members.items()}
        of_it = f" of {name!r}" if name else ""
        _require_enough(chosen, overlaps.units, min_patients, by_patient=overlaps.by_patient, what=of_it)
        columns += [
            _of_means(f"mean Dice{of_it} by {column}", column, dice, masks, overlaps.units, level)
            for column, masks in chosen.items()
        ]
    found = _statistic(columns, overlaps.units, level, _MEANS, by_patient=overlaps.by_patient)
    return Statistic(found.value, found.interval, found.details, incomplete(overlaps), found.plots)


def _require_enough(
    members: dict[str, dict[str, NDArray[np.bool_]]],
    units: NDArray[np.int64],
    fewest: int,
    *,
    by_patient: bool,
    what: str = "",
) -> None:
    """Raise Inconclusive for a subgroup with too few patients, and for a column with one value."""
    from retspec.statistics.clusters import counted

    counts: dict[str, int] = {}
    for column, masks in members.items():
        require_two(column, masks)
        counts |= {f"{column}={value}": counted(mask, units) for value, mask in masks.items()}
    if few := too_few(counts, fewest, by_patient=by_patient):
        raise Inconclusive(few + (f":{what}" if what else ""))


def _of_means(
    title: str,
    column: str,
    numbers: NDArray[np.float64],
    masks: dict[str, NDArray[np.bool_]],
    units: NDArray[np.int64],
    level: float,
) -> _Column:
    from retspec.statistics.gaps import between_means
    from retspec.statistics.regression import mean

    return _Column(
        title,
        column,
        {value: mean(numbers[mask], units[mask], level) for value, mask in masks.items()},
        masks,
        lambda first, second: between_means(numbers, (masks[first], masks[second]), units, level),
    )


def _of_r2(values: PredictedNumbers, column: str, masks: dict[str, NDArray[np.bool_]], level: float) -> _Column:
    import numpy as np

    from retspec.statistics.gaps import Determinations

    truths = values.truths[:, 0]
    for value, mask in masks.items():
        if np.ptp(truths[mask]) == 0:
            raise Inconclusive(f"every true value of {column}={value} is {truths[mask][0]:.6g}: there is no R² of it")
    found = Determinations(truths, values.predicted[:, 0], [*masks.values()], values.units)
    places = {value: place for place, value in enumerate(masks)}
    return _Column(
        f"{_NAMES['r2']} by {column}",
        column,
        {value: found.of(place, level) for value, place in places.items()},
        masks,
        lambda first, second: found.between(places[first], places[second], level),
    )


def _statistic(
    columns: list[_Column], units: NDArray[np.int64], level: float, method: str, *, by_patient: bool
) -> Statistic:
    """Return the largest gap; its upper end is the highest of all pairs."""
    pairs = [
        (each.between(one, other), each, (one, other))
        for each in columns
        for one, other in combinations(sorted(each.found, key=lambda name: -each.found[name].value), 2)
    ]
    (value, lower, _), worst, pair = max(pairs, key=lambda each: each[0].value)
    interval = _interval(max(pairs, key=lambda each: each[0].upper), lower, units, (level, method), by_patient)
    details: dict[str, Any] = {
        "worst pair": f"{worst.title}: {pair[0]} and {pair[1]}",
        **{
            each.title: {name: _shown(of_it, int(each.masks[name].sum())) for name, of_it in each.found.items()}
            for each in columns
        },
        "method": interval.method,
    }
    rows = {
        each.title: [ForestRow(n, *of, int(each.masks[n].sum())) for n, of in each.found.items()] for each in columns
    }
    return Statistic(
        value, interval, details, "", tuple(Forest(title, lowest_of(each)) for title, each in rows.items())
    )


def _interval(
    decides: tuple[Estimate, _Column, tuple[str, str]],
    lower: float,
    units: NDArray[np.int64],
    how: tuple[float, str],
    by_patient: bool,  # noqa: FBT001 - internal
) -> Interval:
    """Return the interval, about the patients of the pair that its upper end is of."""
    (estimate, _, upper), column, (one, other) = decides
    return interval_of(
        units[column.masks[one] | column.masks[other]],
        (max(lower, 0.0), upper),
        how[0],
        f"{how[1]}; its upper end is the highest of all pairs",
        by_patient=by_patient,
        about=f"whose {column.column} is {one} or {other}",
        estimate=estimate,
    )


def _shown(found: Estimate, images: int) -> str:
    return f"{found.value:.4g} ({found.lower:.4g} to {found.upper:.4g}) of {images:,}"

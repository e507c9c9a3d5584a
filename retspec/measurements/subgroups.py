"""The measurements over subgroups, such as sexes and cameras: what they have in common, and what sets them apart."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from retspec.errors import Inconclusive, SubjectError, did_you_mean
from retspec.facts import Statistic
from retspec.measurements.operating_points import Threshold, right_side, shown
from retspec.plugin import Cost, measurement
from retspec.subjects.predictions.binary import Binary, FewestPatients, Level, Positive, binary, too_few

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from retspec.facts import Predictions
    from retspec.statistics.shares import Share

Chosen = Annotated[list[str], Meta(min_length=1, description="Columns of subgroups; by default all that are named.")]
_BLANK = "(blank)"
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
    from retspec.statistics.shares import difference

    images = binary(predictions, positive)
    rates: dict[str, dict[str, Share]] = {}
    counts: dict[str, int] = {}
    for column, members in _members(predictions, subgroups).items():
        if len(members) < 2:  # noqa: PLR2004 - it takes two
            raise Inconclusive(f"{column!r} has the one value {next(iter(members))!r}: there is nothing to compare")
        for kind, name in _RATES.items():
            found = {value: _rate(images, kind, places, threshold, level) for value, places in members.items()}
            counts |= {f"{kind} {column}={value}": each.patients if each else 0 for value, each in found.items()}
            rates[f"{name} by {column}"] = {value: each for value, each in found.items() if each}
    if few := too_few(counts, min_patients, by_patient=images.by_patient):
        raise Inconclusive(f"{few}: of {images.positive}, at {threshold}")
    pairs = [
        (difference(first, second), f"{rate}: {one} and {other}", first.patients + second.patients)
        for rate, found in rates.items()
        for (one, first), (other, second) in combinations(sorted(found.items(), key=lambda each: -each[1].value), 2)
    ]
    (value, lower, _), worst, _ = max(pairs, key=lambda pair: pair[0][0])
    ends = (max(lower, 0.0), max(upper for (_, _, upper), _, _ in pairs))
    interval = images.interval(
        ends, level, "Newcombe's interval; its upper end is the highest of all pairs", scale="linear"
    )
    details: dict[str, Any] = {
        "worst pair": worst,
        **{rate: {name: shown(each) for name, each in found.items()} for rate, found in rates.items()},
        "method": interval.method,
    }
    return Statistic(value, interval, details)


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


def _members(predictions: Predictions, chosen: list[str] | None) -> Mapping[str, Mapping[str, NDArray[np.bool_]]]:
    """Return which images of the judged split each value of each column has; a value of another split may have none.

    Raises SubjectError for a column that the section does not name, and where it names none.
    """
    named = predictions.judged.subgroups
    if not named:
        raise SubjectError("predictions names no subgroups; add `subgroups: [sex, camera]`", path="predictions")
    for column in chosen or named:
        if column not in named:
            raise SubjectError(
                f"predictions has no subgroups {column!r}{did_you_mean(column, named)}; it names {', '.join(named)}",
                path="checks",
            )
    return {column: dict(_of_column(predictions, column)) for column in chosen or named}


def _of_column(predictions: Predictions, column: str) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    import numpy as np

    here = np.array(predictions.judged.subgroups[column])
    for value in dict.fromkeys(value for table in predictions.tables.values() for value in table.subgroups[column]):
        yield value or _BLANK, here == value


def _rate(images: Binary, kind: str, places: NDArray[np.bool_], threshold: float, level: float) -> Share | None:
    """Return a rate of some images; None where none of them is of the kind."""
    chosen = places & (images.truth if kind == "positive" else ~images.truth)
    if not chosen.any():
        return None
    part = Binary(images.truth[chosen], images.scores[chosen], images.units[chosen], images.by_patient, images.positive)
    return right_side(part, kind, threshold, level)

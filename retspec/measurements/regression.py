"""The measurements of predicted values: their absolute error, what they explain, and how far they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retspec.errors import Inconclusive
from retspec.facts import Statistic
from retspec.plugin import Cost, measurement
from retspec.subjects.predictions.binary import FewestPatients, Level, interval_of, too_few
from retspec.subjects.predictions.examples import Examples, furthest

if TYPE_CHECKING:
    from retspec.facts import PredictedNumbers
    from retspec.records import Interval
    from retspec.statistics.regression import Estimate

_BOOTSTRAP = "bootstrap, 2,000 rounds"


@measurement(cost=Cost.STATIC, needs_torch=False)
def absolute_error(
    predicted_values: PredictedNumbers,
    *,
    level: Level = 0.95,
    min_patients: FewestPatients = 30,
    examples: Examples = 0,
) -> Statistic:
    """Compute the mean absolute error of predicted values, with that of their median and their bias."""
    import numpy as np

    from retspec.statistics.regression import mean

    require_variation(predicted_values)
    errors = (predicted_values.predicted - predicted_values.truths)[:, 0]
    found = mean(np.abs(errors), predicted_values.units, level)
    found = found._replace(lower=max(found.lower, 0.0))
    truths = predicted_values.truths[:, 0]
    by_median = float(np.abs(truths - np.median(truths)).mean())
    details = {
        "of the median of the true values": _short(by_median),
        "bias": _short(float(errors.mean())),
        **furthest(predicted_values.ids, np.abs(errors), examples, title="largest errors"),
    }
    return _statistic(predicted_values, found, "normal", details, level, min_patients)


@measurement(cost=Cost.STATIC, needs_torch=False)
def explained_variance(
    predicted_values: PredictedNumbers, *, level: Level = 0.95, min_patients: FewestPatients = 30
) -> Statistic:
    """Compute R², the share of the squared error of the mean that predicted values take away."""
    import numpy as np

    from retspec.statistics.regression import determination

    require_variation(predicted_values)
    truths, predicted = predicted_values.truths[:, 0], predicted_values.predicted[:, 0]
    if np.ptp(truths) == 0:
        raise Inconclusive(f"every true value is {truths[0]:.6g}, so that there is nothing to explain")
    found = determination(truths, predicted, predicted_values.units, level)
    details = {"correlation": _short(float(np.corrcoef(truths, predicted)[0, 1]))}
    return _statistic(predicted_values, found, _BOOTSTRAP, details, level, min_patients)


@measurement(cost=Cost.STATIC, needs_torch=False)
def agreement_limits(
    predicted_values: PredictedNumbers, *, level: Level = 0.95, min_patients: FewestPatients = 30
) -> Statistic:
    """Compute the limits of agreement of predicted and true values; the value is the one farther from zero."""
    from retspec.statistics.regression import LIMITS, agreement

    require_variation(predicted_values)
    differences = (predicted_values.predicted - predicted_values.truths)[:, 0]
    found, bias = agreement(differences, predicted_values.units, level)
    half = found.value - abs(bias)
    details = {
        "bias": _short(bias),
        "limits": f"{bias - half:.4g} to {bias + half:.4g}",
        "standard deviation": _short(half / LIMITS),
    }
    return _statistic(predicted_values, found, _BOOTSTRAP, details, level, min_patients)


def require_variation(values: PredictedNumbers) -> None:
    """Raise Inconclusive for a model that says the same of every image, and for a single one."""
    import numpy as np

    if len(values.ids) == 1:
        raise Inconclusive(f"{values.source} has one row; one error says nothing of others")
    if np.ptp(values.predicted) == 0:
        raise Inconclusive(f"every predicted value is {values.predicted[0, 0]:.6g}: the model tells no images apart")


def _statistic(
    values: PredictedNumbers, found: Estimate, method: str, details: dict[str, Any], level: float, fewest: int
) -> Statistic:
    interval = _interval(values, found, method, level)
    means = {
        "mean of the true values": _short(float(values.truths.mean())),
        "mean of the predicted values": _short(float(values.predicted.mean())),
    }
    patients = {"different": int(values.units.max()) + 1}
    few = too_few(patients, fewest, by_patient=values.by_patient)
    return Statistic(found.value, interval, {**details, **means, "method": interval.method}, few)


def _interval(values: PredictedNumbers, found: Estimate, method: str, level: float) -> Interval:
    """Return the interval; raises Inconclusive where the patients are too few for any."""
    from math import isfinite

    if not isfinite(found.lower) or not isfinite(found.upper):
        raise Inconclusive("no interval can be computed: all images are of one patient, or none differs from another")
    return interval_of(values.units, (found.lower, found.upper), level, method, by_patient=values.by_patient)


def _short(value: float) -> float:
    return float(f"{value:.4g}")

"""The measurements of probabilities: whether they are what they say, and whether they say more than the prevalence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import Inconclusive
from retspec.facts import Statistic
from retspec.plugin import Cost, measurement
from retspec.subjects.predictions.binary import FewestPatients, Level, Positive, binary, interval_of, too_few, usable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from retspec.facts import Predictions


@measurement(cost=Cost.STATIC, needs_torch=False)
def calibration(
    predictions: Predictions, *, positive: Positive | None = None, min_patients: FewestPatients = 200
) -> Statistic:
    """Compute the expected calibration error beyond what chance alone makes of calibrated probabilities."""
    import numpy as np

    from retspec.statistics.calibration import BINS, calibration_error, error_floor

    if positive is not None or len(predictions.classes) == 2:  # noqa: PLR2004 - a question with two answers
        images = binary(predictions, positive)
        confidences, hits, about = images.scores, images.truth, f"the probability of {images.positive}"
    else:
        table = usable(predictions)
        confidences, hits = table.scores.max(axis=1), table.scores.argmax(axis=1) == table.labels
        about = "the probability of the most probable class"
    if np.ptp(confidences) == 0:
        raise Inconclusive(f"all {len(confidences):,} images have the same score, {confidences[0]:.4g}")
    error, floor = calibration_error(confidences, hits), error_floor(confidences)
    details = {"error": error, "floor": floor, "images": len(hits), "bins": BINS, "of": about}
    table = predictions.judged
    few = _few(table.units, min_patients, by_patient=table.groups is not None)  # whose floor is above most errors
    return Statistic(max(error - floor, 0.0), None, details, few)


@measurement(cost=Cost.STATIC, needs_torch=False)
def recalibration_slope(
    predictions: Predictions,
    *,
    positive: Positive | None = None,
    level: Level = 0.95,
    min_patients: FewestPatients = 30,
) -> Statistic:
    """Fit the outcome to the logit of the probability; the value is how far the slope is from 1."""
    from retspec.statistics.calibration import recalibration
    from retspec.statistics.clusters import counted
    from retspec.statistics.normal import linear

    images = binary(predictions, positive)
    try:
        found = recalibration(images.truth, images.scores, images.units)
    except ValueError:
        raise Inconclusive("no finite slope fits best: a threshold separates the two kinds of images") from None
    low, high = linear(found.value, found.variance, level)
    far = sorted((abs(low - 1), abs(high - 1)))
    ends = (0.0 if low <= 1 <= high else far[0], far[1])
    interval = images.interval(ends, level, "logistic regression, variance robust to clusters", scale="linear")
    counts = {
        "positive": counted(images.truth, images.units),
        "negative": counted(~images.truth, images.units),
    }
    details = {
        "slope": f"{found.value:.4g} ({low:.4g} to {high:.4g})",
        "intercept": round(found.intercept, 4),
        "probabilities of 0 or 1, moved by a millionth": found.clipped,
        "positive": images.positive,
        "method": interval.method,
    }
    few = too_few(counts, min_patients, by_patient=images.by_patient)
    return Statistic(abs(found.value - 1), interval, details, few)


@measurement(cost=Cost.STATIC, needs_torch=False)
def brier_score(
    predictions: Predictions,
    *,
    positive: Positive | None = None,
    level: Level = 0.95,
    min_patients: FewestPatients = 30,
) -> Statistic:
    """Compute the squared error of the probabilities; with the skill against the prevalence."""
    from retspec.statistics.clusters import variance_of_sum
    from retspec.statistics.normal import linear

    errors, known, units, by_patient = _squared(predictions, positive)
    value = float(errors.mean())
    low, high = linear(value, variance_of_sum((errors - value) / len(errors), units), level)
    interval = interval_of(units, (max(low, 0.0), min(high, 2.0)), level, "normal", by_patient=by_patient)
    details = {"skill": _skill(errors, known), "of the prevalence": float(known.mean()), "method": interval.method}
    return Statistic(value, interval, details, _few(units, min_patients, by_patient=by_patient))


@measurement(cost=Cost.STATIC, needs_torch=False)
def brier_skill(
    predictions: Predictions,
    *,
    positive: Positive | None = None,
    level: Level = 0.95,
    min_patients: FewestPatients = 30,
) -> Statistic:
    """Compute the share of the squared error of the prevalence that the probabilities take away."""
    from retspec.statistics.clusters import variance_of_sum
    from retspec.statistics.normal import linear

    errors, known, units, by_patient = _squared(predictions, positive)
    value = _skill(errors, known)
    terms = ((1 - value) * known - errors) / known.sum()
    low, high = linear(value, variance_of_sum(terms, units), level)
    interval = interval_of(units, (low, min(high, 1.0)), level, "normal, delta method", by_patient=by_patient)
    details = {
        "squared error": float(errors.mean()),
        "of the prevalence": float(known.mean()),
        "method": interval.method,
    }
    return Statistic(value, interval, details, _few(units, min_patients, by_patient=by_patient))


def _squared(
    predictions: Predictions, positive: Positive | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], bool]:
    """Return the squared error of each image, that of a predictor that knows the prevalence alone, and the patients.

    Of several classes, the errors of all of them are added: between 0 and 2 (Brier, Monthly Weather Review 1950).
    """
    import numpy as np

    if positive is not None or len(predictions.classes) == 2:  # noqa: PLR2004 - a question with two answers
        images = binary(predictions, positive)
        truth = images.truth.astype(np.float64)
        return (images.scores - truth) ** 2, (truth.mean() - truth) ** 2, images.units, images.by_patient
    table = usable(predictions)
    each = np.eye(len(predictions.classes))[table.labels]
    if len(np.unique(table.labels)) < 2:  # noqa: PLR2004 - the prevalence then knows everything
        raise Inconclusive(f"every image is of the class {predictions.classes[int(table.labels[0])]!r}")
    errors = ((table.scores - each) ** 2).sum(axis=1)
    return errors, ((each.mean(axis=0) - each) ** 2).sum(axis=1), table.units, table.groups is not None


def _skill(errors: NDArray[np.float64], known: NDArray[np.float64]) -> float:
    return 1 - float(errors.sum() / known.sum())


def _few(units: NDArray[np.int64], fewest: int, *, by_patient: bool) -> str:
    import numpy as np

    return too_few({"different": len(np.unique(units))}, fewest, by_patient=by_patient)

"""What `coverage.py` simulates beside the area under the ROC curve, with two eyes a patient."""

from __future__ import annotations

from functools import cache, partial
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from retspec.measurements.subgroups import subgroup_gaps
from retspec.statistics.calibration import recalibration
from retspec.statistics.clusters import resampled
from retspec.statistics.kappa import moments, quadratic_kappa
from retspec.statistics.normal import linear
from retspec.statistics.shares import share
from tests.predictions.tables import eyes, predictions, squashed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Ends = tuple[float, float]

LEVEL = 0.95
DISTANCE = 1.796
CLASSES = 5
SAMPLES = 500
"""Of the bootstrap of kappa; the check draws 2,000."""


def threshold(sensitivity: float, distance: float = DISTANCE) -> float:
    """Return the score that this share of diseased eyes is above."""
    return distance - NormalDist().inv_cdf(sensitivity)


def sensitivity(diseased: int, healthy: int, seed: int, *, true: float) -> Ends:
    """Return the interval of the sensitivity at a threshold that is given."""
    truth, scores, patients = eyes(diseased, healthy, distance=DISTANCE, seed=seed)
    found = share(scores[truth] >= threshold(true), patients[truth], LEVEL)
    return found.lower, found.upper


def slope(diseased: int, healthy: int, seed: int) -> Ends:
    """Return the interval of the recalibration slope of probabilities that are right: the logit is that of Bayes."""
    truth, scores, patients = eyes(diseased, healthy, distance=DISTANCE, seed=seed)
    odds = 0.9 * diseased / (0.1 * diseased + healthy)  # 80 % of the diseased in both eyes
    found = recalibration(truth, squashed(np.log(odds) + DISTANCE * scores - DISTANCE**2 / 2), patients)
    return linear(found.value, found.variance, LEVEL)


def gap(diseased: int, healthy: int, seed: int, *, true: float) -> Ends:
    """Return the interval of the gap of two cameras with so many patients each; sensitivity is 0.95 with the better."""
    distances = (DISTANCE, threshold(0.95) + NormalDist().inv_cdf(0.95 - true))
    parts = [eyes(diseased, healthy, distance=each, seed=2 * seed + place) for place, each in enumerate(distances)]
    truth, scores = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
    patients = np.concatenate([parts[0][2], parts[1][2] + diseased + healthy])
    cameras = np.repeat(["A", "B"], len(truth) // 2).tolist()
    table = predictions(truth, squashed(scores), patients, subgroups={"camera": cameras})
    found = subgroup_gaps(table, threshold=float(squashed(np.array(threshold(0.95)))), level=LEVEL, min_patients=2)
    ends = found.interval
    return (ends.lower, ends.upper) if ends else (-1.0, 1.0)


def grades(patients: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return true and predicted grades of both eyes, and their patients; eyes share most of what is hard in them."""
    generator = np.random.default_rng(seed)
    units = np.repeat(np.arange(patients), 2)
    severity = generator.exponential(1.2, size=patients)[units] + generator.normal(scale=0.4, size=2 * patients)
    error = generator.normal(scale=0.6, size=patients)[units] + generator.normal(scale=0.3, size=2 * patients)
    true, predicted = (each.round().clip(0, CLASSES - 1).astype(np.int64) for each in (severity, severity + error))
    return true, predicted, units


@cache
def true_kappa() -> float:
    """Return the kappa of half a million patients."""
    true, predicted, _ = grades(500_000, seed=10**6)
    return quadratic_kappa(moments(true, predicted))


def weighted_kappa(diseased: int, healthy: int, seed: int) -> Ends:
    """Return the interval of the quadratic weighted kappa over all patients."""
    true, predicted, units = grades(diseased + healthy, seed)
    low, high, _ = resampled(moments(true, predicted, units), quadratic_kappa, rounds=SAMPLES, level=LEVEL)
    return low, high


def others() -> list[tuple[str, int, int, float, Callable[[int, int, int], Ends]]]:
    """Return the name, diseased and healthy patients, the true number, and what gives an interval by a seed."""
    return [
        *(
            row
            for diseased, healthy in ((30, 170), (100, 300))
            for row in (
                ("sensitivity", diseased, healthy, 0.85, partial(sensitivity, true=0.85)),
                ("sensitivity", diseased, healthy, 0.95, partial(sensitivity, true=0.95)),
                ("calibration slope", diseased, healthy, 1.0, slope),
                ("largest gap, for each of two cameras", diseased, healthy, 0.0, partial(gap, true=0.0)),
                ("largest gap, for each of two cameras", diseased, healthy, 0.15, partial(gap, true=0.15)),
            )
        ),
        *(("quadratic weighted kappa", 0, patients, true_kappa(), weighted_kappa) for patients in (30, 100, 400)),
    ]

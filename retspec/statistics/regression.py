"""Errors of predicted values, with intervals whose unit is the patient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from retspec.statistics.clusters import resampled, variance_of_sum
from retspec.statistics.normal import linear

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ROUNDS = 2_000
LIMITS = 1.96
"""Standard deviations between which 95 in 100 normal differences lie."""


class Estimate(NamedTuple):
    """A number with the ends of its interval."""

    value: float
    lower: float
    upper: float


def mean(values: NDArray[np.float64], units: NDArray[np.int64], level: float) -> Estimate:
    """Return the mean of values, shape (images,); the variance is that between patients."""
    value = float(values.mean())
    variance = variance_of_sum((values - value) / len(values), units)
    return Estimate(value, *(linear(value, variance, level) if math.isfinite(variance) else (-math.inf, math.inf)))


def determination(
    truths: NDArray[np.float64], predicted: NDArray[np.float64], units: NDArray[np.int64], level: float
) -> Estimate:
    """Return R²: 1 minus the squared errors divided by those of the mean of the true values; below 0 for worse ones.

    Its interval is a bootstrap of patients. truths, predicted: shape (images,), not all true values alike.
    """
    centred = truths - truths.mean()
    parts = _by_unit([np.ones(len(truths)), centred, centred**2, (truths - predicted) ** 2], units)

    def statistic(sums: NDArray[np.float64]) -> float:
        number, first, second, errors = sums
        around = second - first**2 / number
        return float(1 - errors / around) if around > 0 else math.nan

    return _bootstrapped(parts, statistic, level)


def agreement(differences: NDArray[np.float64], units: NDArray[np.int64], level: float) -> tuple[Estimate, float]:
    """Return the limit of agreement that is farther from 0, by its size, and the bias.

    The limits are bias ± 1.96 standard deviations of the differences, all images together: Bland and Altman, Lancet
    1986;327:307-310. The interval is a bootstrap of patients. differences: shape (images,), two or more.
    """
    bias = float(differences.mean())
    centred = differences - bias
    parts = _by_unit([np.ones(len(differences)), centred, centred**2], units)

    def statistic(sums: NDArray[np.float64]) -> float:
        number, first, second = sums
        if number < 2:  # noqa: PLR2004 - one difference has no deviation
            return math.nan
        shift = first / number
        deviation = math.sqrt(max(second - number * shift**2, 0.0) / (number - 1))
        return float(abs(bias + shift) + LIMITS * deviation)

    return _bootstrapped(parts, statistic, level), bias


def _by_unit(columns: list[NDArray[np.float64]], units: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.stack([np.bincount(units, weights=each) for each in columns], axis=1)


def _bootstrapped(
    parts: NDArray[np.float64], statistic: Callable[[NDArray[np.float64]], float], level: float
) -> Estimate:
    value = statistic(parts.sum(axis=0))
    low, high, _ = resampled(parts, statistic, rounds=ROUNDS, level=level)
    return Estimate(value, min(low, value), max(high, value))

"""How far a mean, or R², of two subgroups lies apart, with intervals whose unit is the patient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from retspec.statistics.clusters import variance_of_sum
from retspec.statistics.normal import linear
from retspec.statistics.regression import ROUNDS, Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Masks = tuple["NDArray[np.bool_]", "NDArray[np.bool_]"]


def between_means(values: NDArray[np.float64], masks: Masks, units: NDArray[np.int64], level: float) -> Estimate:
    """Return the mean of the first of two subgroups minus that of the second.

    The interval is normal, with the variance between patients: one who is in both adds to both means at once.

    values, units: shape (images,); masks: which images each subgroup has, at least one. The ends are infinite for a
    single patient.
    """
    first, second = masks
    means = float(values[first].mean()), float(values[second].mean())
    terms = np.where(first, (values - means[0]) / first.sum(), 0) - np.where(
        second, (values - means[1]) / second.sum(), 0
    )
    either = first | second
    variance = variance_of_sum(terms[either], np.unique(units[either], return_inverse=True)[1])
    value = means[0] - means[1]
    return Estimate(value, *(linear(value, variance, level) if math.isfinite(variance) else (-math.inf, math.inf)))


class Determinations:
    """R² of several subgroups, and that of each in 2,000 samples of patients, which are the same for all.

    truths, predicted, units: shape (images,); masks: which images each subgroup has, whose true values differ.
    """

    def __init__(
        self,
        truths: NDArray[np.float64],
        predicted: NDArray[np.float64],
        masks: Sequence[NDArray[np.bool_]],
        units: NDArray[np.int64],
    ) -> None:
        centred = truths - truths.mean()
        terms = (np.ones(len(truths)), centred, centred**2, (truths - predicted) ** 2)
        parts = np.stack([np.bincount(units, weights=mask * term) for mask in masks for term in terms], axis=1)
        generator, patients = np.random.default_rng(0), len(parts)
        drawn = np.empty((ROUNDS, parts.shape[1]))
        for place in range(ROUNDS):
            drawn[place] = np.bincount(generator.integers(patients, size=patients), minlength=patients) @ parts
        self._found = _r2(parts.sum(axis=0))
        self._sampled = _r2(drawn)

    def of(self, place: int, level: float) -> Estimate:
        """Return R² of a subgroup."""
        return _estimate(float(self._found[place]), self._sampled[:, place], level)

    def between(self, first: int, second: int, level: float) -> Estimate:
        """Return R² of one subgroup minus that of another."""
        value = float(self._found[first] - self._found[second])
        return _estimate(value, self._sampled[:, first] - self._sampled[:, second], level)


def _r2(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return R² of each four sums, shape (..., subgroups); NaN where the true values do not differ."""
    number, first, second, errors = np.moveaxis(sums.reshape(*sums.shape[:-1], -1, 4), -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        around = second - first**2 / number
        result: NDArray[np.float64] = np.where(around > 0, 1 - errors / around, np.nan)
    return result


def _estimate(value: float, sampled: NDArray[np.float64], level: float) -> Estimate:
    known = sampled[np.isfinite(sampled)]
    if not len(known):
        return Estimate(value, -math.inf, math.inf)
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, min(float(low), value), max(float(high), value))

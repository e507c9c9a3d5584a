"""Means of images whose unit is the patient: variances between patients, and samples of patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def summed(values: NDArray[np.float64], units: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the sum of the values of each patient, shape (patients,); patients without a value have 0."""
    return np.bincount(units, weights=values).astype(np.float64)


def counted(mask: NDArray[np.bool_], units: NDArray[np.int64]) -> int:
    """Return how many patients have an image in a selection."""
    return len(np.unique(units[mask]))


def variance_of_sum(influences: NDArray[np.float64], units: NDArray[np.int64]) -> float:
    """Return the variance of an estimate whose linear terms are given for each image, shape (images,), and sum to 0.

    The terms of a patient are added first: this is the variance that is robust to clusters (Liang and Zeger,
    Biometrika 1986), with the factor patients / (patients - 1). Infinite for a single patient.
    """
    sums = summed(influences, units)
    patients = len(np.unique(units))
    if patients < 2:  # noqa: PLR2004 - one patient shows no difference between patients
        return float("inf")
    return float(patients / (patients - 1) * (sums**2).sum())


def resampled(
    parts: NDArray[np.float64],
    statistic: Callable[[NDArray[np.float64]], float],
    *,
    rounds: int,
    level: float,
) -> tuple[float, float, int]:
    """Return the percentile interval of a statistic of sums over patients, and in how many rounds it was undefined.

    parts: what each patient adds to the sums, shape (patients, sums). Patients are drawn with replacement, always the
    same ones: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    generator = np.random.default_rng(0)
    patients = len(parts)
    alike, kinds = np.unique(parts, axis=0, return_inverse=True)  # of counts, most patients add what others add, too
    kinds = kinds.reshape(-1)
    if len(alike) * 4 > patients:
        alike, kinds = parts, np.arange(patients)
    found = np.empty(rounds)
    for place in range(rounds):
        drawn = np.bincount(kinds[generator.integers(patients, size=patients)], minlength=len(alike))
        found[place] = statistic(drawn @ alike)
    known = found[np.isfinite(found)]
    if not len(known):
        return float("nan"), float("nan"), rounds
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high), rounds - len(known)

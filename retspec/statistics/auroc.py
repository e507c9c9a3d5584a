"""The area under the ROC curve and its variance with several images a patient, by ranks.

Obuchowski, Nonparametric analysis of clustered ROC curve data, Biometrics 1997;53:567-578. With one image a patient it
is the variance of DeLong, DeLong and Clarke-Pearson (Biometrics 1988). By ranks as in Sun and Xu, IEEE Signal
Processing Letters 2014: time and memory grow with the number of images, not with that of pairs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from retspec.statistics.clusters import summed
from retspec.statistics.normal import logit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Area(NamedTuple):
    """An area under the curve, and what each patient adds to its error."""

    value: float
    variance: float
    terms: NDArray[np.float64]
    """Linear term of each patient, shape (patients,); they sum to 0."""


def area(truth: NDArray[np.bool_], scores: NDArray[np.float64], units: NDArray[np.int64]) -> Area:
    """Return the area for positive images (`truth`) by their scores; ties count a half.

    truth, scores, units: shape (images,); units: the number of the patient of each image.

    Raises ZeroDivisionError where one of the classes has no image.
    """
    many, few = int(truth.sum()), int((~truth).sum())
    ranks = _midranks(scores)
    above = np.empty(len(truth))  # share of the other class that an image is ranked right against
    above[truth] = (ranks[truth] - _midranks(scores[truth])) / few
    above[~truth] = 1 - (ranks[~truth] - _midranks(scores[~truth])) / many
    value = float(above[truth].sum()) / many
    patients = int(units.max()) + 1
    left = np.where(truth, above - value, 0.0)
    right = np.where(truth, 0.0, above - value)
    first, second = (_padded(summed(side, units), patients) for side in (left, right))
    spread = _factor(truth, units) * (first**2).sum() / many**2 + _factor(~truth, units) * (second**2).sum() / few**2
    total = len(np.unique(units))
    shared = 2 * total / max(total - 1, 1) * (first * second).sum() / (many * few)
    return Area(value, float(spread + shared), first / many + second / few)


def interval(area_: Area, level: float) -> tuple[float, float]:
    """Return the two-sided interval on the logit scale, which keeps its coverage best near 1."""
    return logit(area_.value, area_.variance, level)


def separated(patients: int, level: float) -> float:
    """Return the lower end where no pair is out of order, and the variance is 0 although it is not known.

    That of a share of `patients` out of as many, of the class that has fewer (Clopper and Pearson, Biometrika 1934).
    """
    return float(((1 - level) / 2) ** (1 / patients))


def mean_of(areas: Sequence[Area]) -> Area:
    """Return the mean of areas over the same patients; what one patient adds to several is added first."""
    terms = np.mean([each.terms for each in areas], axis=0)
    patients = len(terms)
    variance = patients / max(patients - 1, 1) * float((terms**2).sum())
    return Area(float(np.mean([each.value for each in areas])), variance, terms)


def _factor(mask: NDArray[np.bool_], units: NDArray[np.int64]) -> float:
    """Return n / (n - 1) of the n patients with an image of a class; infinite for a single one."""
    patients = len(np.unique(units[mask]))
    return patients / (patients - 1) if patients > 1 else float("inf")


def _padded(sums: NDArray[np.float64], patients: int) -> NDArray[np.float64]:
    return np.pad(sums, (0, patients - len(sums)))


def _midranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks from 1; equal values have the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    result: NDArray[np.float64] = (last - (counts - 1) / 2)[inverse]
    return result

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
    value, placed = placements(truth, scores)
    many, few = int(truth.sum()), int((~truth).sum())
    first, second = _sides(truth, placed, units)
    return Area(value, variance_of(truth, placed, units), first / many + second / few)


def placements(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return the area, and how far the share of the other kind that each image is ranked right against is from it."""
    many, few = int(truth.sum()), int((~truth).sum())
    ranks = _midranks(scores)
    above = np.empty(len(truth))
    above[truth] = (ranks[truth] - _midranks(scores[truth])) / few
    above[~truth] = 1 - (ranks[~truth] - _midranks(scores[~truth])) / many
    value = float(above[truth].sum()) / many
    return value, above - value


def variance_of(truth: NDArray[np.bool_], placed: NDArray[np.float64], units: NDArray[np.int64]) -> float:
    """Return the variance of an area by its placements, or of a difference of two by the difference of theirs."""
    many, few = int(truth.sum()), int((~truth).sum())
    first, second = _sides(truth, placed, units)
    spread = _spread(first, truth, units) / many**2 + _spread(second, ~truth, units) / few**2
    total = len(np.unique(units))
    shared = 2 * total / max(total - 1, 1) * (first * second).sum() / (many * few)
    return float(spread + shared)


def _sides(
    truth: NDArray[np.bool_], placed: NDArray[np.float64], units: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sums of the placements of the positive and of the negative images of each patient."""
    patients = int(units.max()) + 1
    left, right = (summed(np.where(kind, placed, 0.0), units) for kind in (truth, ~truth))
    return _padded(left, patients), _padded(right, patients)


def interval(area_: Area, level: float) -> tuple[float, float]:
    """Return the two-sided interval on the logit scale, which keeps its coverage best near 1.

    Near 1, the variance rests on the few patients with a pair out of order. Its own scatter between patients gives the
    degrees of freedom of a t quantile in place of the normal one: Pan and Wall, Small-sample adjustments in using the
    sandwich variance estimator in generalized estimating equations, Statistics in Medicine 2002;21:1429-1441.
    """
    return logit(area_.value, area_.variance, level, freedom(area_.terms))


def freedom(terms: NDArray[np.float64]) -> float:
    """Return the degrees of freedom of a variance that is the sum of squares of terms, shape (patients,).

    Twice its square, divided by its own variance; infinite where all squares are equal.
    """
    squares = terms**2
    scatter = len(squares) * float(squares.var(ddof=1)) if len(squares) > 1 else 0.0
    return 2 * float(squares.sum()) ** 2 / scatter if scatter > 0 else float("inf")


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


def _spread(sums: NDArray[np.float64], mask: NDArray[np.bool_], units: NDArray[np.int64]) -> float:
    """Return the sum of squares times n / (n - 1), of the n patients with an image of a class; infinite for one."""
    patients = len(np.unique(units[mask]))
    return patients / (patients - 1) * float((sums**2).sum()) if patients > 1 else float("inf")


def _padded(sums: NDArray[np.float64], patients: int) -> NDArray[np.float64]:
    return np.pad(sums, (0, patients - len(sums)))


def _midranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks from 1; equal values have the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    result: NDArray[np.float64] = (last - (counts - 1) / 2)[inverse]
    return result

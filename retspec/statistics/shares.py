"""Shares of images, such as a sensitivity, with intervals whose unit is the patient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from retspec.statistics.clusters import variance_of_sum
from retspec.statistics.normal import quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Share(NamedTuple):
    """A share with the ends of its interval."""

    value: float
    lower: float
    upper: float
    images: int
    patients: int


def wilson(share: float, number: float, level: float) -> tuple[float, float]:
    """Return the score interval of a share of so many independent images, which need be no whole number.

    Wilson, Probable inference, the law of succession, and statistical inference, JASA 1927;22:209-212.
    """
    z = quantile(level)
    center = (share + z * z / (2 * number)) / (1 + z * z / number)
    width = z / (1 + z * z / number) * math.sqrt(share * (1 - share) / number + z * z / (4 * number**2))
    return max(center - width, 0.0) if share else 0.0, min(center + width, 1.0) if share < 1 else 1.0


def share(hits: NDArray[np.bool_], units: NDArray[np.int64], level: float) -> Share:
    """Return the share of images that hit, of at least one; several of a patient count as fewer.

    Wilson's interval with the effective number of images: n divided by how much larger the variance between patients is
    than that of independent images (Rao and Scott, A simple method for the analysis of clustered binary data,
    Biometrics 1992;48:577-585). Where all images hit or none does, that is not known, and each patient counts once. A
    bootstrap of patients has an interval without any width there.
    """
    images, patients = len(hits), len(np.unique(units))
    value = float(hits.mean())
    number = float(images)
    if patients < images:
        number = float(patients)
        if 0 < value < 1 and patients > 1:
            robust = variance_of_sum((hits - value) / images, units)
            number = min(value * (1 - value) / robust, float(images)) if robust > 0 else float(images)
    return Share(value, *wilson(value, number, level), images, patients)


def difference(first: Share, second: Share) -> tuple[float, float, float]:
    """Return the first of two independent shares minus the second, with the ends of its interval.

    Newcombe, Interval estimation for the difference between independent proportions, Statistics in Medicine
    1998;17:873-890, method 10: each end by the ends of both.
    """
    value = first.value - second.value
    lower = value - math.hypot(first.value - first.lower, second.upper - second.value)
    upper = value + math.hypot(first.upper - first.value, second.value - second.lower)
    return value, max(lower, -1.0), min(upper, 1.0)

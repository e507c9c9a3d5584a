"""The limit that most values of a normal distribution keep, from a few of them."""

from __future__ import annotations

import math
from statistics import NormalDist

from scipy.special import nctdtrit


def tolerance_factor(count: int, share: float, confidence: float) -> float:
    """Return how many sample standard deviations from the mean a one-sided normal tolerance limit is away.

    Of all values, `share` are beyond it at most, in `confidence` of all samples of `count`. It is exact, by the
    noncentral t distribution: NIST/SEMATECH e-Handbook of Statistical Methods, section 7.2.6.3; Odeh and Owen, Tables
    for Normal Tolerance Limits, Sampling Plans, and Screening (1980).
    """
    root = math.sqrt(count)
    return float(nctdtrit(count - 1, NormalDist().inv_cdf(1 - share) * root, confidence)) / root

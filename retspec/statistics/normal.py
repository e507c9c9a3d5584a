"""Intervals from a standard error, on a scale where the estimate is nearly normal."""

from __future__ import annotations

import math
from statistics import NormalDist

from scipy.special import stdtrit


def quantile(level: float, freedom: float = math.inf) -> float:
    """Return how many standard errors each end of a two-sided interval is away: 1.96 at 0.95.

    freedom: the degrees of freedom of the variance, for Student's t; they need be no whole number.
    """
    if math.isinf(freedom):
        return NormalDist().inv_cdf((1 + level) / 2)
    return float(stdtrit(freedom, (1 + level) / 2))


def linear(estimate: float, variance: float, level: float, freedom: float = math.inf) -> tuple[float, float]:
    """Return the interval of an estimate that is normal itself."""
    width = quantile(level, freedom) * math.sqrt(variance)
    return estimate - width, estimate + width


def logit(estimate: float, variance: float, level: float, freedom: float = math.inf) -> tuple[float, float]:
    """Return the interval of a share that is normal on the logit scale, by the delta method; it stays within 0 and 1.

    Pepe, The Statistical Evaluation of Medical Tests for Classification and Prediction (2003), section 5.2.

    Raises ZeroDivisionError at 0 and at 1, where the logit is infinite.
    """
    center = math.log(estimate / (1 - estimate))
    low, high = linear(center, variance / (estimate * (1 - estimate)) ** 2, level, freedom)
    return _share(low), _share(high)


def _share(logit_: float) -> float:
    return 1 / (1 + math.exp(-logit_)) if logit_ > 0 else math.exp(logit_) / (1 + math.exp(logit_))

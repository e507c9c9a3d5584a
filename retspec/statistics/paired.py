"""Differences of two models on the same images: both scores of an image go together, and all images of a patient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import bdtr

from retspec.statistics.auroc import placements, separated, variance_of
from retspec.statistics.clusters import counted, variance_of_sum
from retspec.statistics.normal import linear, quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HALVINGS = 60


class Difference(NamedTuple):
    """How much higher a number is for the first of two models, with the ends of its interval."""

    value: float
    lower: float
    upper: float
    probability: float
    """Of a difference at least as large where there is none (two-sided)."""


class Outcomes(NamedTuple):
    """Images that two models answer differently, as McNemar counts them."""

    gained: int
    """Right by the first model alone."""
    lost: int
    """Right by the second model alone."""


def areas(
    truth: NDArray[np.bool_],
    scores: tuple[NDArray[np.float64], NDArray[np.float64]],
    units: NDArray[np.int64],
    level: float,
) -> Difference:
    """Return the difference of two areas under the ROC curve; with one image a patient it is that of DeLong.

    DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837-845; by patient as in Obuchowski, Biometrics 1997.
    Where neither model has a pair out of order, its variance is 0 although it is not known: the ends are then those of
    the areas themselves.

    truth, scores, units: shape (images,). Raises ZeroDivisionError where one kind has no image.
    """
    (first, placed), (second, others) = (placements(truth, each) for each in scores)
    value = first - second
    if min(first, second) >= 1:
        width = 1 - separated(min(counted(truth, units), counted(~truth, units)), level)
        return Difference(value, -width, width, 1.0)
    variance = max(variance_of(truth, placed - others, units), 0.0)
    low, high = linear(value, variance, level) if math.isfinite(variance) else (-1.0, 1.0)
    return Difference(value, max(low, -1.0), min(high, 1.0), _two_sided(value, variance))


def shares(
    hits: tuple[NDArray[np.bool_], NDArray[np.bool_]], units: NDArray[np.int64], level: float
) -> tuple[Difference, Outcomes]:
    """Return the difference of the shares of images that two models answer right, and where they differ.

    Tango's score interval (Statistics in Medicine 1998;17:891-908), which has a width even where no image is answered
    differently, with the effective number of images: fewer, as far as those of a patient go together (Rao and Scott,
    Biometrics 1992;48:577-585). The probability is McNemar's, exact, by image.

    hits, units: shape (images,), of at least one image.
    """
    apart = hits[0].astype(np.float64) - hits[1]
    images, patients = len(apart), len(np.unique(units))
    outcomes = Outcomes(int((apart > 0).sum()), int((apart < 0).sum()))
    value = float(apart.mean())
    number = float(patients)
    spread = float((apart**2).mean()) - value**2
    if spread > 0 and patients > 1:
        robust = variance_of_sum((apart - value) / images, units)
        number = min(spread / robust, float(images)) if robust > 0 else float(images)
    low, high = tango(outcomes.gained / images, outcomes.lost / images, number, level)
    return Difference(value, low, high, mcnemar(outcomes)), outcomes


def tango(gained: float, lost: float, number: float, level: float) -> tuple[float, float]:
    """Return the score interval of a difference of paired shares.

    gained, lost: the shares of pairs of which the first, or the second, alone is right; number: of pairs, which need be
    no whole number. Tango, Statistics in Medicine 1998;17:891-908.
    """
    z = quantile(level)
    return (
        _root(gained, lost, number, wanted=z, low=-1.0, high=gained - lost),
        _root(gained, lost, number, wanted=-z, low=gained - lost, high=1.0),
    )


def mcnemar(outcomes: Outcomes) -> float:
    """Return the exact two-sided probability of McNemar's test (Psychometrika 1947;12:153-157); 1 without any pair."""
    return min(2 * float(bdtr(min(outcomes), sum(outcomes), 0.5)), 1.0)


def _root(gained: float, lost: float, number: float, *, wanted: float, low: float, high: float) -> float:
    """Return the difference at which the score has a value; it falls as the difference grows."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _score(gained, lost, number, middle) > wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _score(gained: float, lost: float, number: float, difference: float) -> float:
    """Return how many standard errors the observed difference is above a supposed one, restricted to that one."""
    apart = gained - lost - difference
    second = -gained - lost + (2 - gained + lost) * difference
    third = -lost * difference * (1 - difference)
    share = (math.sqrt(max(second**2 - 8 * third, 0.0)) - second) / 4
    variance = 2 * share + difference * (1 - difference)
    if variance <= 0:
        return math.copysign(math.inf, apart) if apart else 0.0
    return apart * math.sqrt(number / variance)


def _two_sided(value: float, variance: float) -> float:
    if variance <= 0:
        return 1.0 if value == 0 else 0.0
    return math.erfc(abs(value) / math.sqrt(2 * variance))

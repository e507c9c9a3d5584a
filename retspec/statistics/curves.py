"""Curves of bounded size for plots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from retspec.statistics.calibration import BINS

if TYPE_CHECKING:
    from numpy.typing import NDArray

POINTS = 101
"""Of a curve: no plot is wider than twice as many pixels as that."""
_DRAWS = 500
_BAND = (0.025, 0.975)


def roc(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> tuple[float, ...]:
    """Return the highest sensitivity at each of 101 shares of false alarms, from 0 to 1.

    truth, scores: shape (images,). Raises IndexError where one kind has no image.
    """
    negative, positive = np.sort(scores[~truth]), np.sort(scores[truth])
    allowed = np.floor(np.linspace(0, 1, POINTS) * len(negative) + 1e-9).astype(np.int64)
    # An image is called positive above the highest score that has more false alarms than are allowed.
    bounds = np.where(allowed < len(negative), negative[::-1][np.minimum(allowed, len(negative) - 1)], -np.inf)
    found = 1 - np.searchsorted(positive, bounds, side="right") / len(positive)
    return tuple(float(round(each, 4)) for each in found)


def reliability(
    confidences: NDArray[np.float64], hits: NDArray[np.bool_]
) -> tuple[tuple[int, ...], list[tuple[float | None, ...]]]:
    """Return the images of 15 bins, and their predicted, observed, lowest and highest share; None for empty bins.

    Lowest and highest, 95 of 100 times, are the shares of labels that are drawn from the probabilities: Bröcker and
    Smith, Weather and Forecasting 2007;22:651-661.
    """
    places = np.minimum((confidences * BINS).astype(np.int64), BINS - 1)
    images = np.bincount(places, minlength=BINS)
    generator = np.random.default_rng(0)
    drawn = np.stack(
        [
            np.bincount(places, weights=generator.random(len(confidences)) < confidences, minlength=BINS)
            for _ in range(_DRAWS)
        ]
    )
    given = (confidences, hits.astype(np.float64))
    sums = [
        *(np.bincount(places, weights=each, minlength=BINS).astype(np.float64) for each in given),
        *(np.quantile(drawn, end, axis=0) for end in _BAND),
    ]
    shares = [
        tuple(float(round(total / number, 4)) if number else None for total, number in zip(each, images, strict=True))
        for each in sums
    ]
    return tuple(int(each) for each in images), shares

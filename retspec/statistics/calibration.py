"""Whether probabilities are what they say: binned error and its floor, recalibration, squared error."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 15
_DRAWS = 500
_FLOOR = 0.95
_CLIP = 1e-6
"""Probabilities nearer to 0 or 1 are moved here: their logits would be infinite."""
_MOST_STEPS, _CLOSE, _FAR = 100, 1e-9, 1e3


def calibration_error(confidences: NDArray[np.float64], hits: NDArray[np.bool_]) -> float:
    """Return the expected calibration error over 15 bins of equal width.

    Guo et al., On Calibration of Modern Neural Networks, ICML 2017. confidences, hits: shape (images,).
    """
    places = _bins(confidences)
    gaps = np.bincount(places, weights=confidences, minlength=BINS) - np.bincount(places, weights=hits, minlength=BINS)
    return float(np.abs(gaps).sum() / len(hits))


def error_floor(confidences: NDArray[np.float64]) -> float:
    """Return what calibrated confidences stay below in 95 of 100 cases: the error that chance alone makes.

    Labels are drawn from the confidences, 500 times, always the same ones: the test of consistency by Bröcker and
    Smith, Increasing the reliability of reliability diagrams, Weather and Forecasting 2007;22:651-661.
    """
    generator = np.random.default_rng(0)
    places = _bins(confidences)
    expected = np.bincount(places, weights=confidences, minlength=BINS)
    errors = np.empty(_DRAWS)
    for draw in range(_DRAWS):
        hits = generator.random(len(confidences)) < confidences
        errors[draw] = np.abs(expected - np.bincount(places, weights=hits, minlength=BINS)).sum()
    return float(np.quantile(errors, _FLOOR) / len(confidences))


class Slope(NamedTuple):
    """The slope of outcomes on logits, its variance by patient, and how many probabilities were moved off 0 and 1."""

    value: float
    variance: float
    intercept: float
    clipped: int


def recalibration(truth: NDArray[np.bool_], probabilities: NDArray[np.float64], units: NDArray[np.int64]) -> Slope:
    """Return the logistic recalibration: 1 is calibrated, below 1 is too extreme (overfitted).

    Cox, Two further applications of a model for binary regression, Biometrika 1958;45:562-565. The variance is robust
    to several images a patient.

    Raises ValueError where no finite slope fits best: constant scores, or classes that a threshold separates.
    """
    clipped = np.clip(probabilities, _CLIP, 1 - _CLIP)
    logits = np.log(clipped / (1 - clipped))
    design = np.column_stack([np.ones(len(logits)), logits])
    bread, beta = _fitted(design, truth)
    errors = truth - _expected(design @ beta)
    patients = int(units.max()) + 1
    scores = np.column_stack(
        [np.bincount(units, weights=design[:, each] * errors, minlength=patients) for each in (0, 1)]
    )
    known = len(np.unique(units))
    factor = known / (known - 1) if known > 1 else float("inf")
    robust = bread @ (scores.T @ scores) @ bread * factor
    return Slope(float(beta[1]), float(robust[1, 1]), float(beta[0]), int((clipped != probabilities).sum()))


def _fitted(design: NDArray[np.float64], truth: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the inverse of the information, and the coefficients, by Newton's method with steps that never go up."""
    beta = np.array([0.0, 0.0])
    loss = _loss(design @ beta, truth)
    for _ in range(_MOST_STEPS):
        expected = _expected(design @ beta)
        weights = expected * (1 - expected)
        try:
            bread = np.linalg.inv(design.T @ (design * weights[:, None])).astype(np.float64)
        except np.linalg.LinAlgError:
            break
        step = bread @ (design.T @ (truth - expected))
        while (after := _loss(design @ np.add(beta, step), truth)) > loss + _CLOSE and np.abs(step).max() > _CLOSE:
            step = step / 2
        beta, loss = np.add(beta, step), after
        if not np.isfinite(beta).all() or np.abs(beta).max() > _FAR:
            break
        if np.abs(step).max() < _CLOSE:
            return bread, beta
    raise ValueError("no finite slope fits best")


def _loss(logits: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    return float(np.logaddexp(0, np.where(truth, -logits, logits)).mean())


def _expected(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(logits, -500, 500)))
    return result


def _bins(confidences: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.minimum((confidences * BINS).astype(np.int64), BINS - 1)

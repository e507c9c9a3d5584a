"""Cohen's kappa with quadratic weights, for grades."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def confusions(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], units: NDArray[np.int64], classes: int
) -> NDArray[np.float64]:
    """Return how often each patient has each pair of true and predicted class, shape (patients, classes * classes)."""
    cells = classes * classes
    places = units * cells + labels * classes + predicted
    patients = int(units.max()) + 1
    return np.bincount(places, minlength=patients * cells).reshape(patients, cells).astype(np.float64)


def quadratic_kappa(matrix: NDArray[np.float64]) -> float:
    """Return the weighted kappa of a confusion matrix, shape (classes, classes); NaN where chance makes no error.

    Cohen, Weighted kappa, Psychological Bulletin 1968;70:213-220. All classes have their weights, absent ones too.
    """
    classes = len(matrix)
    places = np.arange(classes)
    weights = (places[:, None] - places[None, :]) ** 2
    total = matrix.sum()
    by_chance = float((weights * np.outer(matrix.sum(axis=1), matrix.sum(axis=0))).sum() / total) if total else 0.0
    return 1 - float((weights * matrix).sum()) / by_chance if by_chance else float("nan")

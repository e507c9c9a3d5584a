"""Cohen's kappa with quadratic weights, for grades."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def moments(
    true: NDArray[np.int64], predicted: NDArray[np.int64], units: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Return the five sums over images that quadratic weights need, shape (patients, 5), or (5,) without patients.

    They are the number of images, true grades, predicted grades, the squares of both together, and the products. A
    matrix of all pairs of grades would grow with the square of their number, and be one for each patient.

    true, predicted, units: shape (images,).
    """
    terms = np.stack([np.ones_like(true), true, predicted, true**2 + predicted**2, true * predicted])
    if units is None:
        return np.asarray(terms.sum(axis=1), dtype=np.float64)
    return np.stack([np.bincount(units, weights=each) for each in terms], axis=1).astype(np.float64)


def quadratic_kappa(sums: NDArray[np.float64]) -> float:
    """Return the weighted kappa of images with these `moments`; NaN where chance makes no error.

    Cohen, Weighted kappa, Psychological Bulletin 1968;70:213-220. An error weighs the square of its distance, whatever
    the number of grades is. The sums are whole numbers, and Python's own have any size: nothing is rounded before the
    last division.

    sums: shape (5,).
    """
    images, true, predicted, squares, products = (int(each) for each in sums)
    by_chance = images * squares - 2 * true * predicted  # squared distances of each true grade to each predicted one
    return 2 * (images * products - true * predicted) / by_chance if by_chance else float("nan")

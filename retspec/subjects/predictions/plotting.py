"""What the measurements of predictions record for plots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.facts import Confusion, Forest, ForestRow, Reliability, Roc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from retspec.statistics.shares import Share
    from retspec.subjects.predictions.binary import Binary

MOST_CURVES = 6
"""Curves of a plot; more look alike."""
MOST_ROWS = 40
"""Rows of a plot."""


def roc_of(images: Mapping[str, Binary]) -> Roc:
    """Return the curve of each question; of more than six, the first ones."""
    from retspec.statistics.curves import roc

    return Roc({name: roc(each.truth, each.scores) for name, each in [*images.items()][:MOST_CURVES]})


def reliability_of(confidences: NDArray[np.float64], hits: NDArray[np.bool_]) -> Reliability:
    """Return the reliability diagram of probabilities."""
    from retspec.statistics.curves import reliability

    images, shares = reliability(confidences, hits)
    return Reliability(images, *shares)


def confusion_of(
    classes: Sequence[str], labels: NDArray[np.int64], predicted: NDArray[np.int64]
) -> tuple[Confusion, ...]:
    """Return the confusion matrix of images, of at most 40 classes."""
    import numpy as np

    number = len(classes)
    if number > MOST_ROWS:
        return ()
    counts = np.bincount(labels * number + predicted, minlength=number**2).reshape(number, number)
    return (Confusion(tuple(classes), tuple(tuple(int(cell) for cell in row) for row in counts)),)


def forest_of(title: str, shares: Mapping[str, Share]) -> Forest:
    """Return shares of several groups; of more than 40, the lowest ones."""
    rows = (ForestRow(name, each.value, each.lower, each.upper, each.images) for name, each in shares.items())
    return Forest(title, lowest_of(rows))


def lowest_of(rows: Iterable[ForestRow]) -> tuple[ForestRow, ...]:
    """Return rows in their order; of more than 40, the lowest ones."""
    given = tuple(rows)
    return given if len(given) <= MOST_ROWS else tuple(sorted(given, key=lambda row: row.value)[:MOST_ROWS])

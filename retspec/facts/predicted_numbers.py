"""Facts about a trained model that gives numbers, labels or masks: what it said of each image, and what is true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class PredictedNumbers(Struct, frozen=True):
    """True and predicted numbers of one split, row by row: of a regression, or of several labels a row.

    Its arrays and names are never recorded: they may be of patients.
    """

    ids: tuple[str, ...]
    """Name of each image, as written; each is there once."""
    names: tuple[str, ...]
    """The columns of the true numbers: that of a regression, or one for each label."""
    truths: NDArray[np.float64]
    """Shape (images, names); of labels, 0 and 1."""
    predicted: NDArray[np.float64]
    """Shape (images, names); of labels, their probabilities."""
    units: NDArray[np.int64]
    """The number of the patient of each image, shape (images,); that of the image itself where none is named."""
    by_patient: bool
    """Whether patients are named."""
    source: str
    """The file, as the spec names it."""
    notes: tuple[str, ...] = ()
    """What a reader should know of how the file was read, in whole sentences."""
    subgroups: Mapping[str, tuple[str, ...]] = {}
    """Column to its value in each row, as written; empty for a blank."""


class Overlaps(Struct, frozen=True):
    """How masks overlap in each case, by the pixels that are right and wrong; never recorded either."""

    cases: tuple[str, ...]
    """Name of the case of each row; a case has a row for each structure."""
    structures: tuple[str, ...]
    """Name of the structure of each row; all are empty where no column names them."""
    counts: NDArray[np.float64]
    """Pixels that are true positive, false positive and false negative, shape (rows, 3)."""
    units: NDArray[np.int64]
    """The number of the patient of each row, shape (rows,); that of the case where none is named."""
    by_patient: bool
    """Whether patients are named."""
    source: str
    """The file, as the spec names it."""
    notes: tuple[str, ...] = ()
    """What a reader should know of how the file was read, in whole sentences."""
    subgroups: Mapping[str, tuple[str, ...]] = {}
    """Column to its value in each row, as written; empty for a blank."""

"""Facts about a trained model: what it said of each image of a split, and what is true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from retspec.records import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class PredictionTable(Struct, frozen=True):
    """The predictions of one split, row by row. Its arrays and names are never recorded: they may be of patients."""

    ids: tuple[str, ...]
    """Name of each image, as written; one may be there twice."""
    labels: NDArray[np.int64]
    """Class index of each image, shape (images,)."""
    scores: NDArray[np.float64]
    """Probability of each class, shape (images, classes); of logits, their softmax. May hold NaN and infinity."""
    groups: NDArray[np.int64] | None
    """Number of the patient of each image, from 0 without gaps, shape (images,); None where no column is named."""
    subgroups: Mapping[str, tuple[str, ...]]
    """Column to its value of each image, as written; empty for a blank."""

    @property
    def units(self) -> NDArray[np.int64]:
        """The number of what is drawn as one of each image, shape (images,): its patient, or else the image itself."""
        # Here, since every command imports the facts.
        import numpy as np

        return np.arange(len(self.ids)) if self.groups is None else self.groups


class Predictions(Struct, frozen=True):
    """What files of predictions say, and which split of them is judged."""

    tables: Mapping[str, PredictionTable]
    """Split to its rows; the empty name is that of all rows of files without splits."""
    split: str
    """The split that is judged."""
    classes: tuple[str, ...]
    """Name of each class, by its index: its column; of a single column, `0` and `1`."""
    source: str
    """The file of the judged split, as the spec names it."""
    sha256: str
    """Hash of that file."""
    group: str | None = None
    """The column of patients; None for none: images are then what is drawn and counted."""
    notes: tuple[str, ...] = ()
    """What a reader should know of how the files were read, in whole sentences."""

    @property
    def judged(self) -> PredictionTable:
        """The rows of the split that is judged."""
        return self.tables[self.split]


class Statistic(Struct, frozen=True):
    """A number about predictions, with what explains it."""

    value: float
    """The estimate, in the unit of the checks that read it."""
    interval: Interval | None = None
    """None for a number that has none, such as a count."""
    details: Mapping[str, Any] = {}
    """Numbers and texts by their names, as JSON-able data."""
    few: str = ""
    """Why it is from too little to be judged, as a clause; empty where it is not."""

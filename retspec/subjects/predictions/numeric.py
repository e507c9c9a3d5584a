"""Predictions that are no classes: values of a regression, several labels an image, overlaps of masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import SubjectError
from retspec.facts import Overlaps, PredictedNumbers
from retspec.subjects.predictions.rows import Rows, read_rows

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from retspec.records import PredictionFiles

_ASKED = {
    "classes": "the scores of classes; name them as `label: grade` and `scores: [p0, p1]`",
    "values": "the values of a regression; name them as `label: age` and `values: predicted_age`",
    "labels": "several labels of an image; name them as `labels: [dr, amd]` and `scores: [p_dr, p_amd]`",
    "counts": "the pixels of masks; name them as `counts: [tp, fp, fn]` and `structure: structure`",
}


def require_kind(section: PredictionFiles, kind: str) -> None:
    """Raise SubjectError unless the section holds predictions of this kind."""
    if section.kind != kind:
        raise SubjectError(f"this asks about {_ASKED[kind]}", path="predictions")


def values_of(section: PredictionFiles, folder: Path) -> PredictedNumbers:
    """Return the true and the predicted values of a regression; raises what `read_rows` raises."""
    require_kind(section, "values")
    label, predicted = section.label or "", section.values or ""
    rows = read_rows(section, folder, [label, predicted])
    return _numbers(section, rows, (label,), rows.numbers[:, :1], rows.numbers[:, 1:])


def labels_of(section: PredictionFiles, folder: Path) -> PredictedNumbers:
    """Return the labels of each image, 0 or 1, and their probabilities; of logits, their logistic function.

    Raises what `read_rows` raises, and SubjectError for a label that is neither 0 nor 1, and for scores that are no
    probabilities.
    """
    import numpy as np

    require_kind(section, "labels")
    names = tuple(section.labels or ())
    rows = read_rows(section, folder, [*names, *section.outputs])
    truths, given = rows.numbers[:, : len(names)], rows.numbers[:, len(names) :]
    _require(rows, names, ~np.isin(truths, (0, 1)), truths, "which is no label: those are 0 or 1")
    if section.is_logits:
        return _numbers(section, rows, names, truths, 1 / (1 + np.exp(-np.clip(given, -700, 700))))
    message = "and a probability is between 0 and 1; if these are logits, name the columns as `logits:`"
    _require(rows, section.outputs, (given < 0) | (given > 1), given, message)
    return _numbers(section, rows, names, truths, given)


def overlaps_of(section: PredictionFiles, folder: Path) -> Overlaps:
    """Return the pixels of each case and structure that are right and wrong.

    Raises what `read_rows` raises, and SubjectError for counts that are none.
    """
    require_kind(section, "counts")
    names = tuple(section.counts or ())
    rows = read_rows(section, folder, names, kind=section.structure)
    counts = rows.numbers
    _require(rows, names, (counts < 0) | (counts % 1 != 0), counts, "which is no number of pixels")
    return Overlaps(
        cases=rows.ids,
        structures=rows.kinds,
        counts=counts,
        units=rows.units,
        by_patient=section.group is not None,
        source=rows.source,
        notes=rows.notes,
        subgroups=rows.subgroups,
    )


def _numbers(
    section: PredictionFiles,
    rows: Rows,
    names: tuple[str, ...],
    truths: NDArray[np.float64],
    predicted: NDArray[np.float64],
) -> PredictedNumbers:
    return PredictedNumbers(
        ids=rows.ids,
        names=names,
        truths=truths,
        predicted=predicted,
        units=rows.units,
        by_patient=section.group is not None,
        source=rows.source,
        notes=rows.notes,
        subgroups=rows.subgroups,
    )


def _require(
    rows: Rows, names: tuple[str, ...], wrong: NDArray[np.bool_], numbers: NDArray[np.float64], message: str
) -> None:
    """Raise SubjectError with the first number that is wrong."""
    import numpy as np

    if wrong.any():
        row, column = (int(place[0]) for place in np.nonzero(wrong))
        raise SubjectError(
            f"{rows.source}: {names[column]!r} is {numbers[row, column]:.6g}, {message}", path="predictions"
        )

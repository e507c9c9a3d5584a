"""Predictions as a question with two answers: which images are positive, and how sure the model is of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from msgspec import Meta

from retspec.errors import Inconclusive, SubjectError, did_you_mean
from retspec.records import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from retspec.facts import Predictions, PredictionTable

Positive = Annotated[
    int | str | list[int | str],
    Meta(description="The classes that are positive, by number or column; of two classes, 1 by default."),
]
Level = Annotated[float, Meta(ge=0.5, lt=1, description="Of the two-sided interval.")]
FewestPatients = Annotated[int, Meta(ge=2, description="Of each kind, below which there is no verdict.")]
_TWO = 2
MOST_NAMED = 6
"""Classes or labels of a message; there may be thousands."""


class Binary(NamedTuple):
    """The images of one split as positive and negative ones, row by row."""

    truth: NDArray[np.bool_]
    """Whether each image is positive, shape (images,)."""
    scores: NDArray[np.float64]
    """The probability that it is, shape (images,)."""
    units: NDArray[np.int64]
    """The number of its patient, shape (images,)."""
    by_patient: bool
    """Whether patients are named; otherwise each image is its own."""
    positive: str
    """The positive classes in words."""

    def interval(  # noqa: PLR0913 - what a record holds
        self,
        ends: tuple[float, float],
        level: float,
        method: str,
        *,
        of: NDArray[np.bool_] | None = None,
        scale: str = "logit",
        about: str = "",
        estimate: float | None = None,
    ) -> Interval:
        """Return the interval of a number about these images, or about some of them (`of`); see `interval_of`."""
        chosen = self.truth | True if of is None else of
        return interval_of(
            self.units[chosen],
            ends,
            level,
            method,
            by_patient=self.by_patient,
            positives=int(self.truth[chosen].sum()),
            scale=scale,
            about=about,
            estimate=estimate,
        )


def interval_of(  # noqa: PLR0913 - the same
    units: NDArray[np.int64],
    ends: tuple[float, float],
    level: float,
    method: str,
    *,
    by_patient: bool,
    positives: int | None = None,
    scale: str = "linear",
    about: str = "",
    estimate: float | None = None,
) -> Interval:
    """Return an interval with what it is from: the patients of some images, given for each image.

    about, estimate: whose these are, and of what the worse end is, where a part of all images decides; see `Interval`.
    """
    import numpy as np

    return Interval(
        lower=float(ends[0]),
        upper=float(ends[1]),
        level=level,
        method=f"{method}, by {'patient' if by_patient else 'image, since no `group` names the patient'}",
        images=len(units),
        patients=len(np.unique(units)) if by_patient else None,
        positives=positives,
        scale="logit" if scale == "logit" else "linear",
        about=about,
        estimate=estimate,
    )


def usable(predictions: Predictions, split: str | None = None) -> PredictionTable:
    """Return the rows of a split, by default the judged one.

    Raises SubjectError for a split that is not there, and for rows of which no number can be computed: an image twice,
    a score that is not finite.
    """
    import numpy as np

    name = predictions.split if split is None else split
    if name not in predictions.tables:
        there = ", ".join(map(repr, predictions.tables))
        raise SubjectError(
            f"no predictions are of the split {name!r}{did_you_mean(name, predictions.tables)}; there are {there}",
            path="checks",
        )
    table = predictions.tables[name]
    shown = f"{predictions.source}, split {name!r}" if name else predictions.source
    twice = len(table.ids) - len(set(table.ids))
    if twice:
        raise SubjectError(
            f"{shown}: {twice:,} of {len(table.ids):,} rows are of an image that has a row already; "
            "`predictions_complete` names them",
            path="predictions",
        )
    missing = int((~np.isfinite(table.scores)).any(axis=1).sum())
    if missing:
        raise SubjectError(
            f"{shown}: {missing:,} of {len(table.ids):,} rows have a score that is not finite; "
            "`predictions_complete` names them",
            path="predictions",
        )
    return table


def binary(predictions: Predictions, positive: Positive | None, split: str | None = None) -> Binary:
    """Return the rows of a split as positive and negative images.

    Raises what `usable` raises, SubjectError for classes that are not there, and Inconclusive where all images are of
    one kind, or have the same score.
    """
    table = usable(predictions, split)
    named = predictions.split if split is None else split
    shown = f"the split {named!r}" if named else predictions.source
    return _split_in_two(table, positive_classes(predictions.classes, positive), predictions.classes, shown)


def each_class(predictions: Predictions) -> Iterator[tuple[str, Binary]]:
    """Yield the name of each class with the judged images as those of the class and all others.

    Raises what `binary` raises. The rows are looked through once, not once for each of what may be a thousand classes.
    """
    table = usable(predictions)
    shown = f"the split {predictions.split!r}" if predictions.split else predictions.source
    for index, name in enumerate(predictions.classes):
        yield name, _split_in_two(table, [index], predictions.classes, shown)


def _split_in_two(table: PredictionTable, chosen: Sequence[int], classes: Sequence[str], shown: str) -> Binary:
    import numpy as np

    truth = np.isin(table.labels, chosen)
    words = named_classes([classes[each] for each in chosen])
    if truth.all() or not truth.any():
        kind = "negative" if truth.all() else f"positive ({words})"
        raise Inconclusive(f"no image of {shown} is {kind}, of {len(truth):,}")
    scores = table.scores[:, chosen].sum(axis=1)
    if np.ptp(scores) == 0:
        raise Inconclusive(f"all {len(scores):,} images of {shown} have the same score, {scores[0]:.4g}")
    return Binary(truth, np.minimum(scores, 1.0), table.units, table.groups is not None, words)


def named_classes(names: Sequence[str]) -> str:
    """Return the names of classes for a message, of more than six the first ones."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def positive_classes(classes: Sequence[str], positive: Positive | None) -> list[int]:
    """Return the indices of the positive classes.

    Raises SubjectError for none or all of them, for one that is not there, and where the spec must say which.
    """
    if positive is None:
        if len(classes) == _TWO:
            return [1]
        raise SubjectError(
            f"say which of the {len(classes)} classes are positive, such as `with: {{positive: [1]}}`", path="checks"
        )
    given = positive if isinstance(positive, list) else [positive]
    found = sorted({_index(classes, each) for each in given})
    if not 0 < len(found) < len(classes):
        raise SubjectError("positive names no class, or all of them; the others are the negative ones", path="checks")
    return found


def _index(classes: Sequence[str], name: int | str) -> int:
    index = name if isinstance(name, int) else next((i for i, each in enumerate(classes) if each == name), -1)
    if not 0 <= index < len(classes):
        near = did_you_mean(str(name), classes)
        raise SubjectError(
            f"there is no class {name!r}{near}; there are 0 to {len(classes) - 1}: {named_classes(classes)}",
            path="checks",
        )
    return index


def too_few(counts: dict[str, int], fewest: int, *, by_patient: bool) -> str:
    """Return which of some kinds of patients are too few, as a clause; empty where none is.

    Of more than six kinds, those with the fewest patients are named.
    """
    unit = "patients" if by_patient else "images"
    few = {kind: number for kind, number in counts.items() if number < fewest}
    more = len(few) - MOST_NAMED
    named = sorted(few, key=few.__getitem__)[:MOST_NAMED] if more > 0 else few
    words = " and ".join(f"{few[kind]:,} {kind} {unit}" for kind in named)
    rest = f", and too few of {more:,} more kinds" if more > 0 else ""
    return f"there are only {words}{rest}; {fewest} are needed (`min_patients`)" if few else ""

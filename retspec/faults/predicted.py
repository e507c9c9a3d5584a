"""Faults of predictions: what a script of evaluation does wrong, and what a worse model looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from retspec.errors import DoesNotApply
from retspec.facts import Predictions
from retspec.faults import Frequency, fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from retspec.facts import PredictionTable

_FEWEST = 20
"""Rows below which a share of them is nothing."""


def _changed(predictions: Any, change: Callable[[PredictionTable], PredictionTable]) -> Predictions:
    """Return predictions whose judged split is another; raises DoesNotApply for a kind that has no classes."""
    if not isinstance(predictions, Predictions):
        raise DoesNotApply("the predictions are not probabilities of classes")
    judged = predictions.judged
    if len(judged.ids) < _FEWEST:
        raise DoesNotApply(f"the judged split has {len(judged.ids)} rows, and fewer than {_FEWEST} show nothing")
    return replace(predictions, tables={**predictions.tables, predictions.split: change(judged)})


def _rows(table: PredictionTable, places: Any) -> PredictionTable:
    """Return some rows of a table, by their places."""
    import numpy as np

    chosen = np.asarray(places)
    return replace(
        table,
        ids=tuple(table.ids[place] for place in chosen),
        labels=table.labels[chosen],
        scores=table.scores[chosen],
        groups=None if table.groups is None else np.unique(table.groups[chosen], return_inverse=True)[1],
        subgroups={name: tuple(values[place] for place in chosen) for name, values in table.subgroups.items()},
    )


def _smallest_subgroup(table: PredictionTable) -> Any:
    """Return the places of the rows of the smallest subgroup in the last column; raises DoesNotApply without two."""
    import numpy as np

    if not table.subgroups:
        raise DoesNotApply("the predictions name no subgroups")
    values = np.array([*table.subgroups.values()][-1])
    names, counts = np.unique(values, return_counts=True)
    if len(names) == 1:
        raise DoesNotApply("there is only one subgroup")
    return np.flatnonzero(values == names[counts.argmin()])


@fault(families="predictions", noticed_by="min_auroc min_qwk", frequency=Frequency.OFTEN)
def scores_shuffled(predictions: Predictions) -> Predictions:
    """The scores are in another order than the images, as after a loader that shuffles."""
    import numpy as np

    def change(table: PredictionTable) -> PredictionTable:
        return replace(table, scores=table.scores[np.random.default_rng(0).permutation(len(table.ids))])

    return _changed(predictions, change)


@fault(families="predictions", noticed_by="min_qwk min_class_recall min_auroc", frequency=Frequency.SOMETIMES)
def score_columns_reversed(predictions: Predictions) -> Predictions:
    """The columns of the scores are in the reverse order of the classes."""
    return _changed(predictions, lambda table: replace(table, scores=table.scores[:, ::-1].copy()))


@fault(families="predictions", noticed_by="min_class_recall min_auroc", frequency=Frequency.SOMETIMES)
def one_answer(predictions: Predictions) -> Predictions:
    """The model says the same of every image."""

    def change(table: PredictionTable) -> PredictionTable:
        return replace(table, scores=table.scores.mean(axis=0, keepdims=True).repeat(len(table.ids), axis=0))

    return _changed(predictions, change)


@fault(
    families="predictions",
    noticed_by="max_calibration_error calibration_slope max_brier",
    frequency=Frequency.SOMETIMES,
)
def overconfident(predictions: Predictions) -> Predictions:
    """The model is far too sure of itself."""

    def change(table: PredictionTable) -> PredictionTable:
        sharper = table.scores.clip(1e-9) ** 4
        return replace(table, scores=sharper / sharper.sum(axis=1, keepdims=True))

    return _changed(predictions, change)


@fault(families="predictions", noticed_by="max_subgroup_gap", frequency=Frequency.OFTEN)
def subgroup_failed(predictions: Predictions) -> Predictions:
    """The model is of no use for one subgroup: there, its scores are those of other images."""
    import numpy as np

    def change(table: PredictionTable) -> PredictionTable:
        inside = _smallest_subgroup(table)
        scores = table.scores.copy()
        scores[inside] = scores[np.random.default_rng(0).permutation(inside)]
        return replace(table, scores=scores)

    return _changed(predictions, change)


@fault(families="predictions", noticed_by="predictions_complete", frequency=Frequency.OFTEN)
def images_unpredicted(predictions: Predictions) -> Predictions:
    """A tenth of the images has no row, since they could not be read."""
    return _changed(predictions, lambda table: _rows(table, range(len(table.ids) // 10, len(table.ids))))


@fault(families="predictions", noticed_by="predictions_complete", frequency=Frequency.OFTEN)
def images_repeated(predictions: Predictions) -> Predictions:
    """A tenth of the images has two rows, as a sampler of distributed training repeats them."""
    return _changed(predictions, lambda table: _rows(table, [*range(len(table.ids)), *range(len(table.ids) // 10)]))


@fault(families="predictions", noticed_by="predictions_complete", frequency=Frequency.SOMETIMES)
def score_is_nan(predictions: Predictions) -> Predictions:
    """The scores of one image are NaN."""

    def change(table: PredictionTable) -> PredictionTable:
        scores = table.scores.copy()
        scores[0] = float("nan")
        return replace(table, scores=scores)

    return _changed(predictions, change)


@fault(families="predictions", noticed_by="min_subgroup_positives", frequency=Frequency.RARELY)
def subgroup_too_small(predictions: Predictions) -> Predictions:
    """Almost nobody of one subgroup is in the test."""

    def change(table: PredictionTable) -> PredictionTable:
        few = _smallest_subgroup(table)
        return _rows(table, sorted({*range(len(table.ids))} - {*few[len(few) // 20 :].tolist()}))

    return _changed(predictions, change)

"""Predictions by a known law: two eyes a patient, diseased ones mostly in both, scores that agree between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from retspec.facts import Predictions, PredictionTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def eyes(
    diseased: int, healthy: int, *, distance: float = 1.8, correlation: float = 0.8, seed: int = 0
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.int64]]:
    """Return truth, scores and patients of the two eyes of each patient; 80 % of the diseased are in both eyes.

    Scores are normal with variance 1; those of diseased eyes lie `distance` higher.
    """
    generator = np.random.default_rng(seed)
    patients = np.repeat(np.arange(diseased + healthy), 2)
    both = generator.random(diseased) < 0.8
    truth = np.zeros(2 * (diseased + healthy), dtype=bool)
    truth[0 : 2 * diseased : 2] = True
    truth[1 : 2 * diseased : 2] = both
    shared = np.repeat(generator.normal(size=diseased + healthy), 2)
    noise = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * generator.normal(size=len(truth))
    return truth, noise + distance * truth, patients


def predictions(
    labels: Sequence[int] | NDArray[Any],
    scores: Any,
    patients: Sequence[int] | NDArray[np.int64] | None = None,
    *,
    subgroups: dict[str, Sequence[str]] | None = None,
    ids: Sequence[str] | None = None,
    others: dict[str, PredictionTable] | None = None,
) -> Predictions:
    """Return a record as a file would give it; `scores` of shape (images,) are those of class 1 of two."""
    given = np.asarray(scores, dtype=float)
    whole = np.column_stack([1 - given, given]) if given.ndim == 1 else given
    table = PredictionTable(
        ids=tuple(ids or map(str, range(len(whole)))),
        labels=np.asarray(labels, dtype=np.int64),
        scores=whole,
        groups=None if patients is None else np.unique(np.asarray(patients), return_inverse=True)[1],
        subgroups={name: tuple(values) for name, values in (subgroups or {}).items()},
    )
    return Predictions(
        tables={"test": table, **(others or {})},
        split="test",
        classes=tuple(f"p{index}" for index in range(whole.shape[1])),
        source="test.csv",
        sha256="0" * 64,
        group=None if patients is None else "patient",
    )


def squashed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logistic function: scores of any law as probabilities."""
    return np.asarray(1 / (1 + np.exp(-values)))


def graded(
    images: int = 600, *, seed: int = 0, sharpness: float = 2.0
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return labels and calibrated probabilities of five classes: the labels are drawn from the probabilities."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(scale=sharpness, size=(images, 5))
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (generator.random(images)[:, None] > scores.cumsum(axis=1)).sum(axis=1).clip(0, 4)
    return labels, scores

"""The measurements `predicted_values`, `label_scores` and `overlaps`: tables of numbers, without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugin import Cost, measurement

if TYPE_CHECKING:
    from collections.abc import Callable

    from retspec.facts import Overlaps, PredictedNumbers
    from retspec.subjects.predictions.reading import PredictionReader


@measurement(cost=Cost.STATIC, needs_torch=False)
def predicted_values(prediction_files: PredictionReader, progress: Callable[[int, int], None]) -> PredictedNumbers:
    """Read the true and the predicted values of a regression; torch is needed only where retspec makes them."""
    return prediction_files.read_values(progress)


@measurement(cost=Cost.STATIC, needs_torch=False)
def label_scores(prediction_files: PredictionReader, progress: Callable[[int, int], None]) -> PredictedNumbers:
    """Read several labels of each image and their probabilities; torch is needed only where retspec makes them."""
    return prediction_files.read_labels(progress)


@measurement(cost=Cost.STATIC, needs_torch=False)
def overlaps(prediction_files: PredictionReader) -> Overlaps:
    """Read how many pixels of each case are right and wrong, without torch."""
    return prediction_files.read_overlaps()

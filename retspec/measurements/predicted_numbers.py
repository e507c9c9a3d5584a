"""The measurements `predicted_values`, `label_scores` and `overlaps`: tables of numbers, without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugin import Cost, measurement

if TYPE_CHECKING:
    from retspec.facts import Overlaps, PredictedNumbers
    from retspec.subjects.predictions.reading import PredictionReader


@measurement(cost=Cost.STATIC, needs_torch=False)
def predicted_values(prediction_files: PredictionReader) -> PredictedNumbers:
    """Read the true and the predicted values of a regression, without torch."""
    return prediction_files.read_values()


@measurement(cost=Cost.STATIC, needs_torch=False)
def label_scores(prediction_files: PredictionReader) -> PredictedNumbers:
    """Read several labels of each image and their probabilities, without torch."""
    return prediction_files.read_labels()


@measurement(cost=Cost.STATIC, needs_torch=False)
def overlaps(prediction_files: PredictionReader) -> Overlaps:
    """Read how many pixels of each case are right and wrong, without torch."""
    return prediction_files.read_overlaps()

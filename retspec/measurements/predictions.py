"""The measurement `predictions`: what a trained model said of each image, from files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugin import Cost, measurement

if TYPE_CHECKING:
    from retspec.facts import Predictions
    from retspec.subjects.predictions.reading import PredictionReader


@measurement(cost=Cost.STATIC, needs_torch=False)
def predictions(prediction_files: PredictionReader) -> Predictions:
    """Read the predictions of a trained model, and which split of them is judged, without torch."""
    return prediction_files.read()

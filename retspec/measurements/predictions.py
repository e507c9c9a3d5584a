"""The measurement `predictions`: what a trained model said of each image, from files that are there or made first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.plugin import Cost, measurement

if TYPE_CHECKING:
    from collections.abc import Callable

    from retspec.facts import Predictions
    from retspec.subjects.predictions.reading import PredictionReader


@measurement(cost=Cost.STATIC, needs_torch=False)
def predictions(prediction_files: PredictionReader, progress: Callable[[int, int], None]) -> Predictions:
    """Read the predictions of a trained model, and which split of them is judged.

    Torch is needed only where the spec lets retspec make them: `predictions: {make: ...}`.
    """
    return prediction_files.read(progress)

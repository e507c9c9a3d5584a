"""The measurement `run_spread`: how much a metric varies over several runs of one training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from retspec.errors import Inconclusive, SubjectError
from retspec.facts import Statistic
from retspec.plugin import Cost, measurement
from retspec.subjects.predictions.beside import beside
from retspec.subjects.predictions.binary import Positive
from retspec.subjects.predictions.metrics import ComparedThreshold, Metric, Question

if TYPE_CHECKING:
    from retspec.facts import Predictions
    from retspec.subjects.predictions.reading import PredictionReader

Runs = Annotated[
    list[Annotated[str, Meta(min_length=1)]],
    Meta(
        min_length=1,
        description="The predictions of the other runs for the same images, with the same columns; relative to this "
        "spec.",
        examples=[["seed_1.csv", "seed_2.csv"]],
    ),
]
FewestRuns = Annotated[int, Meta(ge=2, description="With the judged one, below which there is no verdict.")]
Spread = Annotated[
    Literal["range", "deviation"],
    Meta(description="The largest minus the smallest value, or the sample standard deviation."),
]


@measurement(cost=Cost.STATIC, needs_torch=False)
def run_spread(  # noqa: PLR0913 - arguments of the spec
    predictions: Predictions,
    prediction_files: PredictionReader,
    *,
    runs: Runs,
    metric: Metric,
    positive: Positive | None = None,
    threshold: ComparedThreshold | None = None,
    spread: Spread = "range",
    min_runs: FewestRuns = 3,
) -> Statistic:
    """Compute the spread of a metric over the judged predictions and those of other runs."""
    from statistics import stdev

    asked = Question(metric, positive, threshold)
    asked.require_fit()
    tables = _tables(predictions, prediction_files, runs)
    values = {name: asked.value(table) for name, table in tables.items()}
    found = stdev(values.values()) if spread == "deviation" else max(values.values()) - min(values.values())
    details = {
        metric: {name: round(value, 4) for name, value in values.items()},
        "mean": round(sum(values.values()) / len(values), 4),
        "spread": "sample standard deviation" if spread == "deviation" else "largest minus smallest",
    }
    few = f"there are only {len(values)} runs; {min_runs} are needed (`min_runs`)" if len(values) < min_runs else ""
    return Statistic(found, None, details, few)


def _tables(predictions: Predictions, files: PredictionReader, runs: list[str]) -> dict[str, Predictions]:
    """Return the predictions of each run by its file.

    Raises what `beside` raises, SubjectError for a run that is named twice, and Inconclusive for two with the same
    scores: a seed that changes nothing says nothing about others.
    """
    import numpy as np

    tables = {predictions.source: predictions}
    for file in runs:
        if file in tables:
            why = "is the one that is judged, which counts anyway" if file == predictions.source else "is named twice"
            raise SubjectError(f"{file} {why}; remove it from `runs`", path="checks")
        found = beside(predictions, files, file)
        for name, table in tables.items():
            if np.array_equal(table.judged.scores, found.judged.scores):
                raise Inconclusive(f"{file} holds the same scores as {name}: that is one run, not two")
        tables[file] = found
    return tables

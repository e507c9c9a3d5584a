"""The metrics by which models are compared on the same images, each as a number of one table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from msgspec import Meta

from retspec.errors import Inconclusive, SubjectError
from retspec.subjects.predictions.binary import Positive, binary, usable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from retspec.facts import Predictions

Metric = Annotated[
    Literal["auroc", "sensitivity", "specificity", "accuracy", "qwk"],
    Meta(description="What is compared; qwk is the quadratic weighted kappa."),
]
ComparedThreshold = Annotated[
    float, Meta(ge=0, le=1, description="Of the sensitivity or the specificity, the same for all models.")
]
AT_THRESHOLD = frozenset({"sensitivity", "specificity"})


class Question(NamedTuple):
    """Which number of a table is meant."""

    metric: str
    positive: Positive | None
    threshold: float | None

    def require_fit(self) -> None:
        """Raise SubjectError for arguments that do not belong to the metric, and for a threshold that is missing."""
        if self.metric in AT_THRESHOLD and self.threshold is None:
            raise SubjectError(f"{self.metric} needs a threshold; add `threshold: 0.5` under `with`", path="checks")
        if self.metric not in AT_THRESHOLD and self.threshold is not None:
            raise SubjectError(f"{self.metric} has no threshold; leave out `threshold`", path="checks")
        if self.positive is not None and self.metric in {"accuracy", "qwk"}:
            raise SubjectError(f"{self.metric} is about all classes; leave out `positive`", path="checks")

    def value(self, predictions: Predictions) -> float:
        """Return the number; raises SubjectError and Inconclusive for rows of which there is none."""
        from retspec.statistics.auroc import placements
        from retspec.statistics.kappa import moments, quadratic_kappa

        if self.metric == "auroc":
            images = binary(predictions, self.positive)
            return placements(images.truth, images.scores)[0]
        if self.metric == "qwk":
            return quadratic_kappa(moments(*grades(predictions)))
        return float(self.hits(predictions)[0].mean())

    def hits(self, predictions: Predictions) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which images are answered right, of those that a share is about, and which these are of all."""
        if self.metric == "accuracy":
            table = usable(predictions)
            right = table.scores.argmax(axis=1) == table.labels
            return right, right | True
        images = binary(predictions, self.positive)
        chosen = images.truth if self.metric == "sensitivity" else ~images.truth
        called = images.scores >= (self.threshold or 0.0)
        return (called == images.truth)[chosen], chosen


def grades(predictions: Predictions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the true and the most probable class of each image, shape (images,).

    Raises Inconclusive where every true or every predicted class is the same: kappa is then not defined.
    """
    import numpy as np

    table = usable(predictions)
    predicted = table.scores.argmax(axis=1)
    for what, values in (("true", table.labels), ("predicted", predicted)):
        if len(np.unique(values)) == 1:
            only = predictions.classes[int(values[0])]
            raise Inconclusive(f"{predictions.source}: every {what} class is {only!r}, so that kappa says nothing")
    return table.labels, predicted

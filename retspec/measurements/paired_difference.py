"""The measurement `paired_difference`: how much better the judged predictions are than those of a baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from retspec.errors import Inconclusive
from retspec.facts import Statistic
from retspec.plugin import Cost, measurement
from retspec.subjects.predictions.beside import beside
from retspec.subjects.predictions.binary import FewestPatients, Level, Positive, binary, interval_of, too_few
from retspec.subjects.predictions.examples import Examples, furthest
from retspec.subjects.predictions.metrics import ComparedThreshold, Metric, Question, grades
from retspec.subjects.predictions.plotting import roc_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from retspec.facts import Predictions, Roc
    from retspec.statistics.paired import Difference
    from retspec.subjects.predictions.reading import PredictionReader

Baseline = Annotated[
    str,
    Meta(
        min_length=1,
        description="Predictions of another model for the same images, with the same columns; relative to this spec.",
        examples=["baseline.csv"],
    ),
]
_ROUNDS = 2_000


@measurement(cost=Cost.STATIC, needs_torch=False)
def paired_difference(  # noqa: PLR0913 - arguments of the spec
    predictions: Predictions,
    prediction_files: PredictionReader,
    *,
    baseline: Baseline,
    metric: Metric,
    positive: Positive | None = None,
    threshold: ComparedThreshold | None = None,
    level: Level = 0.95,
    min_patients: FewestPatients = 30,
    examples: Examples = 0,
) -> Statistic:
    """Compute a metric of the judged predictions minus that of a baseline's, image by image."""
    asked = Question(metric, positive, threshold)
    asked.require_fit()
    old = beside(predictions, prediction_files, baseline)
    _require_skill(old, asked, level)
    comparing = _Comparing(predictions, old, asked, level)
    found, details, counts = {"auroc": comparing.areas, "qwk": comparing.kappas}.get(metric, comparing.shares)()
    by_patient = predictions.judged.groups is not None
    interval = interval_of(
        comparing.units, (found.lower, found.upper), level, str(details["method"]), by_patient=by_patient
    )
    shown = {
        metric: round(asked.value(predictions), 4),
        f"{metric} of {baseline}": round(asked.value(old), 4),
        **details,
        **comparing.lost(examples),
    }
    few = too_few(counts, min_patients, by_patient=by_patient)
    return Statistic(found.value, interval, shown, few, comparing.plots())


def _require_skill(old: Predictions, asked: Question, level: float) -> None:
    """Raise Inconclusive where the baseline is not known to be better than chance: nothing is inferior to such a one.

    Trials call it assay sensitivity: ICH E10, Choice of Control Group in Clinical Trials, section 1.5.
    """
    import numpy as np

    from retspec.statistics.auroc import area, interval
    from retspec.statistics.shares import share

    if asked.metric in {"accuracy", "qwk"}:
        true, called = (np.bincount(each, minlength=len(old.classes)) for each in grades(old))
        by_chance = float(true @ called) / float(true.sum()) ** 2
        right = share(old.judged.scores.argmax(axis=1) == old.judged.labels, old.judged.units, level)
        if right.lower <= by_chance:
            ends = f"{right.lower:.4g} to {right.upper:.4g}"
            raise Inconclusive(
                f"{old.source} is right about {right.value:.4g} of the images ({ends}), and chance about "
                f"{by_chance:.4g}: nothing would be inferior to it"
            )
        return
    images = binary(old, asked.positive)
    found = area(images.truth, images.scores, images.units)
    if found.value < 1 and (found.value <= 0 or not interval(found, level)[0] > 1 / 2):
        raise Inconclusive(
            f"the AUROC of {old.source} is {found.value:.4g}, which is not known to be above chance: nothing would be "
            "inferior to it"
        )


class _Comparing:
    """The comparison of two models by one metric."""

    def __init__(self, new: Predictions, old: Predictions, asked: Question, level: float) -> None:
        self._new, self._old, self._asked, self._level = new, old, asked, level
        self.units: NDArray[np.int64] = new.judged.units

    def areas(self) -> tuple[Difference, dict[str, Any], dict[str, int]]:
        """Compare areas under the ROC curve."""
        from retspec.statistics.clusters import counted
        from retspec.statistics.paired import areas

        first, second = (binary(each, self._asked.positive) for each in (self._new, self._old))
        found = areas(first.truth, (first.scores, second.scores), self.units, self._level)
        counts = {"positive": counted(first.truth, self.units), "negative": counted(~first.truth, self.units)}
        details = {
            "positive": first.positive,
            "p of no difference (DeLong)": _rounded(found.probability),
            "method": "DeLong's paired variance",
        }
        return found, details, counts

    def plots(self) -> tuple[Roc, ...]:
        """Return the curves of both models, where areas below them are compared."""
        if self._asked.metric != "auroc":
            return ()
        return (roc_of({each.source: binary(each, self._asked.positive) for each in (self._new, self._old)}),)

    def shares(self) -> tuple[Difference, dict[str, Any], dict[str, int]]:
        """Compare shares of images that are answered right."""
        import numpy as np

        from retspec.statistics.paired import shares

        (first, chosen), (second, _) = (self._asked.hits(each) for each in (self._new, self._old))
        self.units = self.units[chosen]
        found, outcomes = shares((first, second), self.units, self._level)
        details = {
            "images right here alone": outcomes.gained,
            f"right in {self._old.source} alone": outcomes.lost,
            "p of no difference (McNemar, by image)": _rounded(found.probability),
            "method": "Tango's score interval",
        }
        kind = {"sensitivity": "positive", "specificity": "negative"}.get(self._asked.metric, "different")
        return found, details, {kind: len(np.unique(self.units))}

    def lost(self, examples: int) -> dict[str, dict[str, float]]:
        """Return the images whose true class lost the most probability, as details."""
        import numpy as np

        table, rows = self._new.judged, np.arange(len(self._new.judged.ids))
        fall = self._old.judged.scores[rows, table.labels] - table.scores[rows, table.labels]
        return furthest(table.ids, fall, examples, title="largest loss of probability of the true class")

    def kappas(self) -> tuple[Difference, dict[str, Any], dict[str, int]]:
        """Compare quadratic weighted kappas."""
        import numpy as np

        from retspec.statistics.clusters import resampled
        from retspec.statistics.kappa import moments, quadratic_kappa
        from retspec.statistics.paired import Difference

        both = [moments(*grades(each), self.units) for each in (self._new, self._old)]
        parts = np.concatenate(both, axis=1)
        parts = parts[parts[:, 0] > 0]

        def difference(sums: NDArray[np.float64]) -> float:
            new, old = np.split(sums, 2)
            return quadratic_kappa(new) - quadratic_kappa(old)

        value = difference(parts.sum(axis=0))
        low, high, undefined = resampled(parts, difference, rounds=_ROUNDS, level=self._level)
        if not np.isfinite([low, high]).all():
            low, high = -2.0, 2.0
        details = {"rounds without a kappa": undefined, "method": f"paired bootstrap, {_ROUNDS:,} rounds"}
        found = Difference(value, min(low, value), max(high, value), float("nan"))
        return found, details, {"different": len(parts)}


def _rounded(probability: float) -> float:
    return float(f"{probability:.2g}")

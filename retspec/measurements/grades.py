"""The measurements `weighted_kappa` and `class_recalls`: whether the most probable class is the true one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import Inconclusive
from retspec.facts import Statistic
from retspec.plugin import Cost, measurement
from retspec.subjects.predictions.binary import FewestPatients, Level, interval_of, too_few, usable
from retspec.subjects.predictions.examples import Examples, furthest
from retspec.subjects.predictions.plotting import MOST_ROWS, confusion_of, forest_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from retspec.facts import Confusion, Predictions
    from retspec.statistics.shares import Share

_ROUNDS = 2_000


@measurement(cost=Cost.STATIC, needs_torch=False)
def weighted_kappa(predictions: Predictions, *, level: Level = 0.95, min_patients: FewestPatients = 30) -> Statistic:
    """Compute the quadratic weighted kappa of true and most probable class, over all classes that the columns name."""
    import numpy as np

    from retspec.statistics.clusters import resampled
    from retspec.statistics.kappa import moments, quadratic_kappa

    table = usable(predictions)
    predicted = table.scores.argmax(axis=1)
    for what, values in (("true", table.labels), ("predicted", predicted)):
        if len(np.unique(values)) < 2:  # noqa: PLR2004 - agreement by chance is then all there is
            raise Inconclusive(
                f"every {what} class is {predictions.classes[int(values[0])]!r}, so that kappa says nothing"
            )
    parts = moments(table.labels, predicted, table.units)
    low, high, undefined = resampled(parts[parts[:, 0] > 0], quadratic_kappa, rounds=_ROUNDS, level=level)
    value, by_patient = quadratic_kappa(parts.sum(axis=0)), table.groups is not None
    ends = (min(low, value), max(high, value)) if np.isfinite([low, high]).all() else (-1.0, 1.0)
    interval = interval_of(table.units, ends, level, f"bootstrap, {_ROUNDS:,} rounds", by_patient=by_patient)
    counts = {"": len(np.unique(table.units))}
    plots = confusion_of(predictions.classes, table.labels, predicted)
    details = {
        **_confused(predictions.classes, plots, table.labels, predicted),
        "rounds without a kappa": undefined,
        "method": interval.method,
    }
    few = too_few(counts, min_patients, by_patient=by_patient).replace("  ", " ")
    return Statistic(value, interval, details, few, plots)


def _confused(
    classes: Sequence[str], plots: Sequence[Confusion], labels: NDArray[np.int64], predicted: NDArray[np.int64]
) -> dict[str, object]:
    """Return the confusion matrix as details, or of classes too many for one, the pairs that are confused most."""
    import numpy as np

    if plots:
        return {"confusion, a row per true class": dict(zip(classes, map(list, plots[0].counts), strict=True))}
    wrong = labels != predicted
    pairs, counts = np.unique(labels[wrong] * len(classes) + predicted[wrong], return_counts=True)
    most = np.argsort(-counts, kind="stable")[:MOST_ROWS]
    named = {
        f"{classes[pair // len(classes)]} as {classes[pair % len(classes)]}": int(images)
        for pair, images in zip(pairs[most], counts[most], strict=True)
    }
    return {"images of a wrong class": int(wrong.sum()), "confused most": named}


@measurement(cost=Cost.STATIC, needs_torch=False)
def class_recalls(
    predictions: Predictions, *, level: Level = 0.95, min_patients: FewestPatients = 30, examples: Examples = 0
) -> Statistic:
    """Compute the recall of each class, where the most probable class counts; the value is that of the worst."""
    from retspec.statistics.shares import share

    table = usable(predictions)
    hits = table.scores.argmax(axis=1) == table.labels
    by_patient = table.groups is not None
    found: dict[str, Share] = {}
    for index, name in enumerate(predictions.classes):
        of_class = table.labels == index
        if not of_class.any():
            raise Inconclusive(f"no image is of the class {name!r}, so that its recall is not known")
        found[name] = share(hits[of_class], table.units[of_class], level)
    worst = min(found, key=lambda name: found[name].value)
    of_worst = table.labels == predictions.classes.index(worst)
    decides = min(found, key=lambda name: found[name].lower)
    of_it = table.labels == predictions.classes.index(decides)
    interval = interval_of(
        table.units[of_it],
        (found[decides].lower, found[worst].upper),
        level,
        "Wilson's interval; its lower end is the lowest of all classes",
        by_patient=by_patient,
        positives=int(of_it.sum()),
        scale="logit",
        about=f"of the class {decides!r}",
        estimate=found[decides].value,
    )
    details = {
        "worst class": worst,
        "recall": {
            name: f"{each.value:.4g} ({each.lower:.4g} to {each.upper:.4g}) of {each.images:,}"
            for name, each in found.items()
        },
        "method": interval.method,
    }
    missed = of_worst & ~hits
    details |= furthest(
        table.ids, missed * table.scores.max(axis=1), examples, title="missed with the highest probability of another"
    )
    counts = {f"{name!r}": each.patients for name, each in found.items()}
    few = too_few(counts, min_patients, by_patient=by_patient)
    return Statistic(found[worst].value, interval, details, few, (forest_of("recall by class", found),))

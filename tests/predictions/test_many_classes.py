"""A thousand classes: what is recorded and said grows with their number at most, and messages do not grow at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from retspec.errors import SubjectError
from retspec.facts import PredictedNumbers, PredictionTable, Statistic
from retspec.measurements.discrimination import auroc
from retspec.measurements.grades import class_recalls, weighted_kappa
from retspec.measurements.multilabel import label_aurocs
from retspec.records import plain
from retspec.statistics.kappa import moments, quadratic_kappa
from retspec.subjects.predictions import binary as reading
from retspec.subjects.predictions.binary import binary, too_few
from tests.predictions.tables import predictions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from retspec.facts import Predictions

MANY = 1_000


def recorded(found: Statistic) -> str:
    return json.dumps(plain(msgspec.to_builtins(found, str_keys=True)))


def of_many_classes(patients: int = 500) -> NDArray[np.int64]:
    generator = np.random.default_rng(0)
    true = generator.integers(MANY, size=2 * patients)
    wrong = generator.random(2 * patients) < 0.3
    return np.stack([true, np.where(wrong, (true + generator.integers(1, 30, size=2 * patients)) % MANY, true)])


def test_of_a_thousand_classes_the_details_name_the_pairs_that_are_confused_most() -> None:
    true, predicted = of_many_classes()
    true[:9], predicted[:9] = 7, 8
    found = weighted_kappa(predictions(true, np.eye(MANY)[predicted], np.repeat(np.arange(500), 2)))
    assert found.value == quadratic_kappa(moments(true, predicted))
    assert found.plots == ()
    confused = found.details["confused most"]
    assert len(confused) == 40
    assert next(iter(confused)) == "p7 as p8"
    assert confused["p7 as p8"] >= 9
    assert found.details["images of a wrong class"] == int((true != predicted).sum())
    assert len(json.dumps(plain(msgspec.to_builtins(found, str_keys=True)))) < 4_000


def test_of_a_thousand_classes_without_an_error_no_pair_is_named() -> None:
    true, _ = of_many_classes()
    found = weighted_kappa(predictions(true, np.eye(MANY)[true]))
    assert (found.value, found.details["confused most"], found.details["images of a wrong class"]) == (1, {}, 0)


def scored() -> Predictions:
    """Return two images of each class, of as many patients, with a small probability for each other class."""
    labels = np.arange(2 * MANY) % MANY
    scores = np.random.default_rng(0).random((2 * MANY, MANY))
    scores[np.arange(2 * MANY), labels] += 2
    return predictions(labels, scores / scores.sum(axis=1, keepdims=True), np.arange(2 * MANY))


def test_the_mean_area_looks_through_the_rows_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def usable(given: Predictions, _split: str | None = None) -> PredictionTable:
        looked.append(given.source)
        return given.judged

    monkeypatch.setattr(reading, "usable", usable)
    found = auroc(scored())
    assert looked == ["test.csv"]
    assert len(found.details["by class"]) == MANY
    assert [*found.plots[0].curves] == [f"p{place}" for place in range(6)]  # type: ignore[union-attr]


@pytest.mark.parametrize("measure", [auroc, class_recalls])
def test_what_is_said_of_a_thousand_rare_classes_is_short(measure: Any) -> None:
    found = measure(scored())
    named = " and ".join(f"2 'p{place}' patients" for place in range(6))
    assert found.few == f"there are only {named}, and too few of 994 more kinds; 30 are needed (`min_patients`)"
    assert len(recorded(found)) < 70 * MANY


def test_of_many_kinds_those_with_the_fewest_patients_are_named() -> None:
    counts = {f"{place}": place for place in range(20, 0, -1)}
    found = too_few(counts, 11, by_patient=False)
    assert found.startswith("there are only 1 1 images and 2 2 images and ")
    assert found.endswith(" and 6 6 images, and too few of 4 more kinds; 11 are needed (`min_patients`)")
    few = too_few({"a": 3, "b": 1, "c": 9}, 4, by_patient=False)
    assert few == "there are only 3 a images and 1 b images; 4 are needed (`min_patients`)"


def test_messages_name_a_few_of_the_classes() -> None:
    given = scored()
    with pytest.raises(SubjectError, match=r"there is no class 'none'; there are 0 to 999: p0, .*, p5 and 994 more$"):
        binary(given, "none")
    assert binary(given, [*range(500)]).positive == "p0, p1, p2, p3, p4, p5 and 494 more"
    assert binary(given, [0, 2]).positive == "p0, p2"


def test_of_many_rare_labels_a_few_are_named() -> None:
    labels, generator = 20, np.random.default_rng(0)
    truths = np.eye(labels)[np.arange(2 * labels) % labels]
    names = tuple(f"finding{place}" for place in range(labels))
    given = PredictedNumbers(
        ids=tuple(map(str, range(2 * labels))),
        names=names,
        truths=truths,
        predicted=generator.random(truths.shape),
        units=np.arange(2 * labels),
        by_patient=True,
        source="labels.csv",
    )
    parts = label_aurocs(given).few.split("; of ")
    assert [part.partition(" ")[0].strip("'") for part in parts] == ["of", *names[1:6]]
    assert parts[-1].endswith("; and the like of 14 more labels")

"""Gaps of errors and of masks between subgroups: what they are, and whose patients decide them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, roc_auc_score

from retspec.errors import Inconclusive, SubjectError
from retspec.facts import Overlaps, PredictedNumbers
from retspec.measurements.multilabel import label_aurocs
from retspec.measurements.number_gaps import dice_gaps, error_gaps
from retspec.statistics.clusters import resampled
from tests.predictions.tables import eyes, squashed

PATIENTS = 120


def table(
    ids: tuple[str, ...], truths: Any, predicted: Any, units: Any, subgroups: dict[str, tuple[str, ...]]
) -> PredictedNumbers:
    return PredictedNumbers(
        ids=ids,
        names=("age",),
        truths=truths[:, None],
        predicted=predicted[:, None],
        units=units,
        by_patient=True,
        source="a.csv",
        subgroups=subgroups,
    )


def values(*, cameras: str = "AB", factor: float = 2.0) -> PredictedNumbers:
    """Return ages of two eyes of each patient; errors of the last camera are so many times as large."""
    generator = np.random.default_rng(0)
    units = np.repeat(np.arange(PATIENTS), 2)
    truths = generator.uniform(30, 80, size=2 * PATIENTS)
    of = np.array([*cameras])[units % len(cameras)]
    errors = generator.normal(size=2 * PATIENTS) * np.where(of == cameras[-1], factor, 1)
    ids = tuple(map(str, range(2 * PATIENTS)))
    about = {"camera": tuple(map(str, of))}
    return table(ids, truths, truths + errors, units, about)


def test_the_gap_of_errors_is_that_of_the_worst_pair() -> None:
    read = values(cameras="ABC")
    found = error_gaps(read)
    of, (truths, predicted) = np.array(read.subgroups["camera"]), (read.truths[:, 0], read.predicted[:, 0])
    errors = {each: mean_absolute_error(truths[of == each], predicted[of == each]) for each in "ABC"}
    lowest = min(errors, key=lambda each: errors[each])
    assert math.isclose(found.value, errors["C"] - errors[lowest])
    assert found.details["worst pair"] == f"mean absolute error by camera: C and {lowest}"
    assert found.interval is not None
    assert found.interval.lower < found.value < found.interval.upper
    assert found.interval.patients == 80
    assert found.interval.about.startswith("whose camera is C or ")


def test_the_gap_of_r2_is_that_of_scikit_learn_and_has_an_interval() -> None:
    read = values(factor=12)
    found = error_gaps(read, metric="r2")
    of, (truths, predicted) = np.array(read.subgroups["camera"]), (read.truths[:, 0], read.predicted[:, 0])
    first, second = (r2_score(truths[of == each], predicted[of == each]) for each in "AB")
    assert math.isclose(found.value, first - second)
    assert found.interval is not None
    assert 0 < found.interval.lower < found.value < found.interval.upper < 1


def test_an_eye_of_each_camera_makes_a_patient_one_for_both() -> None:
    """An error that both eyes share is none of a camera, so that the interval of the gap is narrow."""
    units = np.repeat(np.arange(PATIENTS), 2)
    shared = np.repeat(np.random.default_rng(1).normal(scale=5, size=PATIENTS), 2)
    noise = np.random.default_rng(2).normal(scale=0.1, size=2 * PATIENTS)
    truths = np.linspace(30, 80, 2 * PATIENTS)
    eye = tuple("LR" * PATIENTS)
    ids = tuple(map(str, range(2 * PATIENTS)))
    paired, apart = (
        error_gaps(table(ids, truths, truths + shared + noise, each, {"eye": eye}))
        for each in (units, np.arange(2 * PATIENTS))
    )
    assert paired.interval is not None
    assert apart.interval is not None
    assert paired.interval.upper < apart.interval.upper / 10


def test_a_subgroup_that_is_too_small_or_alone_leaves_no_verdict() -> None:
    with pytest.raises(Inconclusive, match=r"there are only 24 camera=A patients and .*; 30 are needed"):
        error_gaps(values(cameras="ABCDE"))
    with pytest.raises(Inconclusive, match="'camera' has the one value 'A'"):
        error_gaps(values(cameras="A"))
    with pytest.raises(SubjectError, match="predictions has no subgroups 'camra'; did you mean 'camera'"):
        error_gaps(values(), subgroups=["camra"])


def test_the_gap_of_dice_is_that_of_the_worst_structure_and_pair() -> None:
    cases = 80
    counts = np.array([[90, 10, 10], [80, 20, 20]] * cases, dtype=float)
    device = np.repeat(np.arange(cases) % 2, 2)
    cup = np.arange(2 * cases) % 2 == 1
    counts[cup & (device == 1)] = [50, 50, 50]
    counts[:, 0] += np.random.default_rng(0).integers(0, 5, size=2 * cases)
    read = Overlaps(
        cases=tuple(str(row // 2) for row in range(2 * cases)),
        structures=tuple("cup" if each else "disc" for each in cup),
        counts=counts,
        units=np.repeat(np.arange(cases), 2),
        by_patient=True,
        source="a.csv",
        subgroups={"device": tuple("AB"[each] for each in device)},
    )
    found = dice_gaps(read)
    dice = 2 * counts[:, 0] / (2 * counts[:, 0] + counts[:, 1] + counts[:, 2])
    expected = dice[cup & (device == 0)].mean() - dice[cup & (device == 1)].mean()
    assert math.isclose(found.value, expected)
    assert found.details["worst pair"] == "mean Dice of 'cup' by device: A and B"
    assert found.interval is not None
    assert found.interval.patients == cases


def test_the_mean_over_labels_is_that_of_scikit_learn() -> None:
    dr, first, units = eyes(60, 90, distance=3, seed=1)
    amd, second, _ = eyes(40, 110, distance=1, seed=2)
    truths, given = np.column_stack([dr, amd]).astype(float), np.column_stack([squashed(first), squashed(second)])
    read = PredictedNumbers(
        tuple(map(str, range(300))), ("dr", "amd"), truths, given, units, by_patient=True, source="a.csv"
    )
    found, worst = label_aurocs(read, average="macro"), label_aurocs(read)
    assert math.isclose(found.value, roc_auc_score(truths, given, average="macro"))
    assert found.interval is not None
    assert worst.interval is not None
    assert found.interval.lower < found.value < found.interval.upper
    assert worst.interval.lower < found.interval.lower
    assert worst.interval.about == "for the label 'amd'"


def test_patients_that_add_the_same_are_drawn_as_if_one_by_one() -> None:
    counts = np.random.default_rng(0).integers(0, 2, size=(400, 2)).astype(float)
    generator, found = np.random.default_rng(0), []
    for _ in range(50):
        drawn = np.bincount(generator.integers(400, size=400), minlength=400) @ counts
        found.append(drawn[0] / drawn[1])
    low, high, _ = resampled(counts, lambda sums: float(sums[0] / sums[1]), rounds=50, level=0.9)
    assert (low, high) == tuple(np.quantile(found, [0.05, 0.95]))

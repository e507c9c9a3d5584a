"""Kappa from sums over images: it is that of the matrix of all pairs of grades, whose size nothing here has."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retspec.errors import Inconclusive
from retspec.measurements.grades import weighted_kappa
from retspec.statistics.clusters import resampled
from retspec.statistics.kappa import moments, quadratic_kappa
from retspec.subjects.predictions.metrics import grades
from tests.predictions.tables import predictions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Images = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def by_matrix(matrix: NDArray[np.float64]) -> float:
    """Return kappa as its definition has it, by the matrix of all pairs of grades."""
    places = np.arange(len(matrix))
    weights = (places[:, None] - places[None, :]) ** 2
    expected = np.outer(matrix.sum(axis=1), matrix.sum(axis=0)) / max(matrix.sum(), 1)
    by_chance = float((weights * expected).sum())
    return 1 - float((weights * matrix).sum()) / by_chance if by_chance else float("nan")


def matrices(true: NDArray[np.int64], predicted: NDArray[np.int64], units: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the matrix of each patient, shape (patients, grades, grades)."""
    number = int(max(true.max(), predicted.max())) + 1
    found = np.zeros((int(units.max()) + 1, number, number))
    np.add.at(found, (units, true, predicted), 1)
    return found


@st.composite
def graded(draw: st.DrawFn) -> Images:
    """Draw true and predicted grades and patients of 1 to 60 images; some grades and patients have none."""
    top = draw(st.sampled_from([0, 1, 4, 40]))
    lowest = draw(st.sampled_from([0, top]))  # of the true ones; where it is the highest, all are of one grade
    images = draw(st.integers(1, 60))
    true, predicted, units = (
        np.array(draw(st.lists(st.integers(*ends), min_size=images, max_size=images)), dtype=np.int64)
        for ends in ((lowest, top), (0, top), (0, 9))
    )
    return true, predicted, units


@given(graded())
def test_the_sums_give_what_the_matrix_of_all_pairs_gives(images: Images) -> None:
    true, predicted, units = images
    by_patient = matrices(*images)
    parts = moments(*images)
    for sums, matrix in ((moments(true, predicted), by_patient.sum(axis=0)), *zip(parts, by_patient, strict=True)):
        assert quadratic_kappa(sums) == pytest.approx(by_matrix(matrix), abs=1e-12, rel=1e-12, nan_ok=True)
    assert np.array_equal(parts.sum(axis=0), moments(true, predicted))
    assert np.array_equal(parts[:, 0], np.bincount(units))


@pytest.mark.parametrize("seed", range(3))
def test_the_bootstrap_is_that_of_the_matrices_of_the_patients(seed: int) -> None:
    generator = np.random.default_rng(seed)
    true, units = generator.integers(5, size=80), np.repeat(np.arange(40), 2)
    predicted = np.where(generator.random(80) < 0.6, true, generator.integers(5, size=80))
    parts = matrices(true, predicted, units).reshape(40, 25)
    expected = resampled(parts, lambda sums: by_matrix(sums.reshape(5, 5)), rounds=200, level=0.95)
    assert resampled(moments(true, predicted, units), quadratic_kappa, rounds=200, level=0.95) == pytest.approx(
        expected, abs=1e-12
    )


def test_large_sums_lose_no_digit() -> None:
    """Half a million images of two grades that lie side by side among thousands: squares of sums have 20 digits."""
    true = np.arange(500_000) % 2
    predicted = np.where(np.arange(500_000) % 10 == 0, 1 - true, true)
    expected = quadratic_kappa(moments(true, predicted))
    assert quadratic_kappa(moments(true + 5_000, predicted + 5_000)) == expected
    assert expected == pytest.approx(0.8, abs=1e-12)


def test_kappa_of_one_class_is_no_number() -> None:
    twice = np.array([3, 3])
    assert math.isnan(quadratic_kappa(moments(twice, twice)))
    assert math.isnan(quadratic_kappa(np.zeros(5)))
    assert quadratic_kappa(moments(twice, twice + 1)) == 0


def test_one_class_alone_has_no_verdict() -> None:
    one = predictions(np.zeros(60, dtype=np.int64), np.tile([0.9, 0.1], (60, 1)))
    for measure in (weighted_kappa, grades):
        with pytest.raises(Inconclusive, match=r"every true class is '.+', so that kappa says nothing"):
            measure(one)


def test_of_any_number_of_classes_a_patient_has_five_sums() -> None:
    true, units = np.arange(1_000), np.arange(1_000) // 2
    assert moments(true, true[::-1].copy(), units).shape == (500, 5)

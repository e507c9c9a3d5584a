"""The numbers behind the checks, against other implementations and against what must hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from retspec.statistics import auroc, calibration, clusters, kappa, normal, shares
from tests.predictions.tables import eyes, graded, squashed


def pairwise(truth, scores, patients):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Obuchowski's estimator as the paper writes it, with a matrix of all pairs."""
    x, y = scores[truth], scores[~truth]
    wins = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
    area, m, n = wins.mean(), len(x), len(y)
    by_x, by_y = wins.mean(axis=1), wins.mean(axis=0)
    ids = np.unique(patients)
    v10 = np.array([(by_x[patients[truth] == one] - area).sum() for one in ids])
    v01 = np.array([(by_y[patients[~truth] == one] - area).sum() for one in ids])
    i10, i01, i = len(np.unique(patients[truth])), len(np.unique(patients[~truth])), len(ids)
    s10, s01 = i10 / ((i10 - 1) * m) * (v10**2).sum(), i01 / ((i01 - 1) * n) * (v01**2).sum()
    return area, s10 / m + s01 / n + 2 * i / (i - 1) * (v10 * v01).sum() / (m * n)


def delong(truth, scores):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """The variance of DeLong, DeLong and Clarke-Pearson by their structural components."""
    x, y = scores[truth], scores[~truth]
    wins = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
    return np.var(wins.mean(axis=1), ddof=1) / len(x) + np.var(wins.mean(axis=0), ddof=1) / len(y)


@pytest.mark.parametrize("digits", [1, 12])
@pytest.mark.parametrize("seed", range(5))
def test_the_area_and_its_variance_are_those_of_all_pairs(seed: int, digits: int) -> None:
    truth, scores, patients = eyes(20, 40, seed=seed)
    scores = scores.round(digits)  # with one digit, there are many ties
    found = auroc.area(truth, scores, patients)
    area, variance = pairwise(truth, scores, patients)
    assert math.isclose(found.value, area, rel_tol=1e-12)
    assert math.isclose(found.variance, variance, rel_tol=1e-12)
    assert math.isclose(found.value, roc_auc_score(truth, scores), rel_tol=1e-12)
    assert abs(found.terms.sum()) < 1e-12


def test_with_one_eye_a_patient_it_is_delong_s_variance() -> None:
    truth, scores, _ = eyes(25, 60)
    found = auroc.area(truth, scores, np.arange(len(truth)))
    assert abs(found.variance - delong(truth, scores)) < 1e-12


def test_two_eyes_that_agree_are_nearly_one() -> None:
    truth, scores, patients = eyes(100, 200)
    by_eye = auroc.area(truth, scores, np.arange(len(truth))).variance
    assert 1.5 < auroc.area(truth, scores, patients).variance / by_eye < 2


def test_a_copy_of_each_eye_adds_nothing() -> None:
    truth, scores, patients = eyes(20, 40)
    once = auroc.area(truth, scores, patients)
    twice = auroc.area(np.tile(truth, 2), np.tile(scores, 2), np.tile(patients, 2))
    assert twice.value == pytest.approx(once.value, rel=1e-12)
    assert twice.variance == pytest.approx(once.variance, rel=1e-12)


def test_the_mean_over_classes_has_the_errors_that_they_share() -> None:
    truth, scores, patients = eyes(60, 60)
    one = auroc.area(truth, scores, patients)
    assert auroc.mean_of([one, one]).variance == pytest.approx(one.variance, rel=0.02)
    assert auroc.mean_of([one, one]).value == one.value


def test_no_memory_grows_with_pairs() -> None:
    truth, scores, patients = eyes(20_000, 30_000)
    assert 0.89 < auroc.area(truth, scores, patients).value < 0.91


@pytest.mark.parametrize(("hits", "number"), [(0, 10), (7, 10), (10, 10), (412, 600), (1, 1)])
def test_the_score_interval_is_scipy_s(hits: int, number: int) -> None:
    expected = stats.binomtest(hits, number).proportion_ci(0.9, method="wilson")
    assert shares.wilson(hits / number, number, 0.9) == pytest.approx((expected.low, expected.high), abs=1e-12)
    found = shares.share(np.arange(number) < hits, np.arange(number), 0.9)
    assert found[1:3] == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_equal_eyes_count_once() -> None:
    hits = np.repeat(np.arange(50) < 40, 2)
    twice, once = shares.share(hits, np.repeat(np.arange(50), 2), 0.95), shares.share(hits[::2], np.arange(50), 0.95)
    assert twice.value == once.value
    assert twice.upper - twice.lower == pytest.approx(once.upper - once.lower, rel=0.02)


@pytest.mark.parametrize("hit", [True, False])
def test_where_all_eyes_hit_or_none_each_patient_counts_once(hit: bool) -> None:  # noqa: FBT001
    found = shares.share(np.full(40, hit), np.repeat(np.arange(20), 2), 0.95)
    assert (found.lower, found.upper) == shares.wilson(float(hit), 20, 0.95)
    assert found.upper - found.lower > 0.1


def test_the_difference_is_newcombe_s_of_his_table() -> None:
    """Newcombe 1998, table II, case (a): 56/70 - 48/80, method 10: 0.0524 to 0.3339."""
    first = shares.Share(56 / 70, *shares.wilson(56 / 70, 70, 0.95), 70, 70)
    second = shares.Share(48 / 80, *shares.wilson(48 / 80, 80, 0.95), 80, 80)
    value, lower, upper = shares.difference(first, second)
    assert (round(value, 4), round(lower, 4), round(upper, 4)) == (0.2, 0.0524, 0.3339)


@pytest.mark.parametrize("seed", range(3))
def test_kappa_is_scikit_learn_s(seed: int) -> None:
    labels, scores = graded(200, seed=seed)
    predicted = scores.argmax(axis=1)
    expected = cohen_kappa_score(labels, predicted, labels=range(5), weights="quadratic")
    assert kappa.quadratic_kappa(kappa.moments(labels, predicted)) == pytest.approx(expected, abs=1e-12)


def test_the_bootstrap_draws_patients_and_always_the_same() -> None:
    parts = np.column_stack([np.arange(50.0), np.ones(50)])
    mean = lambda sums: sums[0] / sums[1]  # noqa: E731
    low, high, undefined = clusters.resampled(parts, mean, rounds=2000, level=0.95)
    width = 1.96 * np.arange(50).std() / math.sqrt(50)
    assert (low, high) == pytest.approx((24.5 - width, 24.5 + width), abs=0.5)
    assert undefined == 0
    assert clusters.resampled(parts, mean, rounds=2000, level=0.95)[:2] == (low, high)
    assert math.isnan(clusters.resampled(parts, lambda _: math.nan, rounds=5, level=0.95)[0])


def test_the_variance_by_patient_is_that_of_their_sums() -> None:
    values = np.array([1.0, -1.0, 2.0, -2.0])
    assert clusters.variance_of_sum(values, np.array([0, 0, 1, 1])) == 0
    assert clusters.variance_of_sum(values, np.array([0, 1, 0, 1])) == pytest.approx(2 * 18)
    assert clusters.variance_of_sum(values, np.zeros(4, dtype=int)) == math.inf


def test_the_calibration_error_is_scikit_learn_s() -> None:
    truth, scores, _ = eyes(100, 300)
    chances = squashed(scores)
    found, expected = calibration_curve(truth, chances, n_bins=15)
    counts = np.histogram(chances, bins=15, range=(0, 1))[0]
    error = np.average(abs(found - expected), weights=counts[counts > 0])
    assert calibration.calibration_error(chances, truth) == pytest.approx(error, abs=1e-12)


@pytest.mark.parametrize(("images", "mean"), [(100, 0.124), (500, 0.057), (10_000, 0.013)])
def test_the_floor_is_above_what_calibrated_scores_make_on_average(images: int, mean: float) -> None:
    chances = np.random.default_rng(1).random(images)
    assert 0.9 * mean < calibration.error_floor(chances) < 2 * mean


def test_calibrated_scores_stay_below_their_floor() -> None:
    generator = np.random.default_rng(2)
    above = 0
    for _ in range(60):
        chances = generator.random(200)
        above += calibration.calibration_error(chances, generator.random(200) < chances) > calibration.error_floor(
            chances
        )
    assert above <= 8  # 3 are expected; more than 8 in less than 1 of 100 cases


def test_the_slope_is_that_of_a_logistic_regression() -> None:
    truth, scores, patients = eyes(100, 200)
    chances = squashed(3 * scores - 4)
    logits = np.log(chances / (1 - chances))[:, None]
    expected = LogisticRegression(C=1e12, tol=1e-10).fit(logits, truth)
    found = calibration.recalibration(truth, chances, patients)
    assert (found.value, found.intercept) == pytest.approx((expected.coef_[0, 0], expected.intercept_[0]), abs=1e-5)
    assert found.variance > 1.3 * calibration.recalibration(truth, chances, np.arange(len(truth))).variance


def test_calibrated_scores_have_the_slope_1() -> None:
    chances = np.random.default_rng(3).random(20_000)
    truth = np.random.default_rng(4).random(20_000) < chances
    found = calibration.recalibration(truth, chances, np.arange(20_000))
    assert abs(found.value - 1) < 3 * math.sqrt(found.variance)
    assert math.sqrt(found.variance) < 0.03


@pytest.mark.parametrize("chances", [[0.1, 0.2, 0.8, 0.9], [0.3, 0.3, 0.3, 0.3]])
def test_separated_or_constant_scores_have_no_slope(chances: list[float]) -> None:
    with pytest.raises(ValueError, match="no finite slope"):
        calibration.recalibration(np.array([False, False, True, True]), np.array(chances), np.arange(4))


def test_the_logit_interval_stays_within_0_and_1() -> None:
    low, high = normal.logit(0.99, 0.01**2, 0.95)
    assert 0.9 < low < 0.975
    assert 0.99 < high < 1
    assert normal.linear(1.0, 4.0, 0.95) == pytest.approx((1 - 3.919928, 1 + 3.919928))
    with pytest.raises(ZeroDivisionError):
        normal.logit(1.0, 0.0, 0.95)


def test_nothing_out_of_order_is_as_sure_as_the_number_of_patients() -> None:
    assert auroc.separated(30, 0.9) == pytest.approx(stats.binomtest(30, 30).proportion_ci(0.9, method="exact").low)


def test_the_interval_of_an_area_has_the_quantile_of_t() -> None:
    assert normal.quantile(0.95, 9.5) == pytest.approx(stats.t.ppf(0.975, 9.5))
    truth, scores, patients = eyes(30, 170, distance=2.998)
    found = auroc.area(truth, scores, patients)
    squares = found.terms**2
    freedom = 2 * squares.sum() ** 2 / (200 / 199 * ((squares - squares.mean()) ** 2).sum())
    assert auroc.freedom(found.terms) == pytest.approx(freedom)
    assert freedom < 30
    low, high = auroc.interval(found, 0.95)
    narrow, wide = (math.log(share / (1 - share)) for share in normal.logit(found.value, found.variance, 0.95))
    width = math.log(high / (1 - high)) - math.log(low / (1 - low))
    assert width / (wide - narrow) == pytest.approx(stats.t.ppf(0.975, freedom) / 1.959964, rel=1e-6)


def test_many_patients_have_the_quantile_of_the_normal_distribution() -> None:
    assert auroc.freedom(np.array([0.1, -0.1, 0.1, -0.1])) == math.inf
    assert auroc.freedom(np.zeros(9)) == math.inf
    assert auroc.freedom(np.array([0.0])) == math.inf
    assert auroc.freedom(np.random.default_rng(0).normal(size=4_000)) == pytest.approx(4_000, rel=0.1)

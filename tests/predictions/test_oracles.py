"""The numbers behind the checks against those of MLstatkit 0.1.91, confidenceinterval 1.0.5 and statsmodels 0.15.0.

Their numbers are constants here, each under the call that gave it, since none of them is needed for anything else.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from retspec.statistics import auroc, calibration, kappa, paired, shares

PLACES = np.arange(40)
TRUTH = PLACES * 7 % 5 < 2
FIRST = np.round((PLACES * 13 % 40 + 18 * TRUTH) / 60, 3)
SECOND = np.round((PLACES * 29 % 40 + 10 * TRUTH) / 60, 3)
"""Scores of two models about 16 positive and 24 negative images; the first has ties."""


def test_the_area_and_its_variance_are_those_of_confidenceinterval() -> None:
    """`confidenceinterval.delong.delong_roc_variance(TRUTH.astype(int), FIRST)`, which computes in float32."""
    found = auroc.area(TRUTH, FIRST, PLACES)
    assert found.value == pytest.approx(0.8528646, abs=1e-7)
    assert found.variance == pytest.approx(0.0034705808485234685, rel=1e-4)


def test_the_difference_of_two_areas_is_that_of_mlstatkit() -> None:
    """`MLstatkit.Delong_test(TRUTH.astype(int), FIRST, SECOND)`."""
    found = paired.areas(TRUTH, (FIRST, SECOND), PLACES, 0.95)
    assert found.value == pytest.approx(0.8528645833333333 - 0.6875, abs=1e-12)
    assert found.probability == pytest.approx(0.06752881615557048, rel=1e-9)
    deviation = math.sqrt(0.008182141093624196)  # its `var_diff`
    assert found.value - found.lower == pytest.approx(1.959963984540054 * deviation, rel=1e-9)


def test_the_interval_of_a_share_is_that_of_statsmodels() -> None:
    """`proportion_confint(37, 50, alpha=0.05, method="wilson")`."""
    assert shares.wilson(37 / 50, 50, 0.95) == pytest.approx((0.6044684273515116, 0.841284725064476), abs=1e-12)


def test_the_sensitivity_has_the_interval_of_confidenceinterval() -> None:
    """`confidenceinterval.tpr_score(TRUTH, FIRST >= 0.4, confidence_level=0.95, method="wilson")`."""
    found = shares.share((FIRST >= 0.4)[TRUTH], PLACES[TRUTH], 0.95)
    assert found[:3] == pytest.approx((0.8125, 0.5699111903802586, 0.9340840092857187), abs=1e-7)


def test_the_difference_of_shares_is_that_of_statsmodels() -> None:
    """`confint_proportions_2indep(37, 50, 60, 70, method="newcomb", compare="diff")`."""
    sides = [
        shares.Share(hits / images, *shares.wilson(hits / images, images, 0.95), images, images)
        for hits, images in ((37, 50), (60, 70))
    ]
    expected = (37 / 50 - 60 / 70, -0.26675661267104733, 0.025560627451237522)
    assert shares.difference(*sides) == pytest.approx(expected, abs=1e-12)


def test_the_test_of_mcnemar_is_that_of_statsmodels() -> None:
    """`mcnemar([[20, 9], [6, 5]], exact=True).pvalue`, of images called positive from 0.5 on."""
    hits = (FIRST >= 0.5) == TRUTH, (SECOND >= 0.5) == TRUTH
    found, outcomes = paired.shares(hits, PLACES, 0.95)
    assert outcomes == (9, 6)
    assert found.probability == pytest.approx(0.6072387695312499, rel=1e-9)


def test_kappa_is_that_of_statsmodels() -> None:
    """`cohens_kappa(matrix, weights=(i - j) ** 2 / 16).kappa`."""
    true = PLACES * 7 % 5
    predicted = (true + (PLACES % 3 == 0) + 2 * (PLACES % 7 == 0) - (PLACES % 11 == 0)).clip(0, 4)
    assert kappa.quadratic_kappa(kappa.moments(true, predicted)) == pytest.approx(0.825, abs=1e-12)


def test_the_slope_and_its_variance_by_patient_are_those_of_statsmodels() -> None:
    """Two images a patient, without the factor patients / (patients - 1) of ours.

    `Logit(TRUTH, add_constant(logits)).fit(cov_type="cluster", cov_kwds={"groups": PLACES // 2, "use_correction":
    False})`: `params` and `cov_params()[1, 1]`.
    """
    found = calibration.recalibration(TRUTH, FIRST, PLACES // 2)
    assert (found.intercept, found.value) == pytest.approx((-0.21587974, 1.72021321), abs=1e-7)
    assert found.variance == pytest.approx(0.16436802 * 20 / 19, rel=1e-6)

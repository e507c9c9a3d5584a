"""What is recorded for plots: of bounded size, sums alone, and what the drawings show of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from retspec.facts import Confusion, Forest, Reliability, Roc, Statistic
from retspec.measurements.discrimination import auroc
from retspec.measurements.grades import class_recalls, weighted_kappa
from retspec.measurements.probabilities import calibration
from retspec.measurements.subgroups import subgroup_gaps
from retspec.records import Measured, plain
from retspec.report.page.figures import figures_of
from retspec.report.page.forest import Interval, forest
from retspec.statistics.curves import reliability, roc
from tests.predictions.tables import eyes, graded, predictions, squashed
from tests.predictions.test_paired import Study

if TYPE_CHECKING:
    from pathlib import Path


def table(images: int = 600) -> Any:
    labels, scores = graded(images)
    sexes = ["f" if place % 3 else "m" for place in range(images)]
    return predictions(labels, scores, subgroups={"sex": sexes}, ids=[f"patient-{place}" for place in range(images)])


STATISTICS: dict[str, Any] = {
    "auroc": (auroc, {}, Roc),
    "calibration": (calibration, {}, Reliability),
    "class_recalls": (class_recalls, {}, Forest),
    "subgroup_gaps": (subgroup_gaps, {"positive": [2, 3, 4], "threshold": 0.5}, Forest),
    "weighted_kappa": (weighted_kappa, {}, Confusion),
}


@pytest.mark.parametrize("name", STATISTICS)
def test_a_recorded_statistic_becomes_figures_and_names_no_image(name: str) -> None:
    measure, arguments, kind = STATISTICS[name]
    found = measure(table(), **arguments)
    assert all(isinstance(plot, kind) for plot in found.plots)
    recorded = plain(msgspec.to_builtins(found, str_keys=True))
    assert "patient-" not in str(recorded)
    assert len(str(recorded)) < 8_000
    assert len(figures_of(Measured(key=f"{name}(positive=[1])", facts=recorded))) == len(found.plots) > 0
    assert msgspec.convert(recorded, Statistic, strict=False).plots == found.plots


def test_a_curve_has_the_area_and_the_corners_of_the_scores() -> None:
    truth, scores, _ = eyes(400, 400)
    curve = roc(truth, scores)
    assert (len(curve), curve[-1]) == (101, 1)
    assert np.all(np.diff(curve) >= 0)
    from sklearn.metrics import roc_auc_score

    assert abs(np.trapezoid(curve, dx=0.01) - roc_auc_score(truth, scores)) < 0.005
    perfect = roc(np.arange(10) > 4, np.arange(10.0))
    assert set(perfect) == {1.0}
    assert roc(np.arange(10) > 4, np.zeros(10)) == (*[0.0] * 100, 1.0)


def test_calibrated_probabilities_lie_between_what_chance_makes_of_them() -> None:
    generator = np.random.default_rng(1)
    given = squashed(2 * generator.normal(size=4000))
    images, (predicted, observed, lowest, highest) = reliability(given, generator.random(4000) < given)
    assert sum(images) == 4000
    inside = [low <= share <= high for low, share, high in zip(lowest, observed, highest, strict=True)]  # type: ignore[operator]
    assert sum(inside) >= 13
    assert all(abs(each - (place + 0.5) / 15) < 0.034 for place, each in enumerate(predicted) if each is not None)
    _, (_, sure, _, bound) = reliability(given, generator.random(4000) < given**2)
    assert sum(share < low for share, low in zip(sure, lowest, strict=True)) > 5  # type: ignore[operator]
    assert bound != observed
    images, shares = reliability(np.array([0.01, 0.99]), np.array([False, True]))
    assert (images[0], images[7], shares[1][7], shares[1][14]) == (1, 0, None, 1)


def test_a_forest_has_a_row_for_each_group_and_escapes_its_name() -> None:
    drawn = forest(
        "sensitivity", [Interval("<b>", 0.9, 0.8, 0.95, "0.9 of 40"), Interval("x" * 40, 0.5, 0.4, 0.6, "0.5")]
    )
    assert "&lt;b&gt;" in drawn
    assert f"{'x' * 22}…" in drawn
    assert drawn.count('class="bar"') == 2
    assert drawn.count('class="range"') == 6


def test_both_models_are_in_one_plot(tmp_path: Path) -> None:
    (found,) = Study(tmp_path).difference().plots
    assert isinstance(found, Roc)
    assert [*found.curves] == ["new.csv", "old.csv"]
    assert Study(tmp_path).difference(metric="accuracy").plots == ()


def test_images_are_named_only_where_the_spec_asks(tmp_path: Path) -> None:
    study = Study(tmp_path)
    assert ".png" not in str(study.difference(metric="accuracy"))
    named = study.difference(metric="accuracy", examples=3).details["largest loss of probability of the true class"]
    falls = np.where(study.truth, 1, -1) * (study.scores[1] - study.scores[0])
    assert [*named] == [f"{place:03}.png" for place in np.argsort(-falls)[:3]]
    worst = class_recalls(table(), examples=5).details["missed with the highest probability of another"]
    assert len(worst) == 5
    assert all(name.startswith("patient-") for name in worst)
    assert sorted(worst.values(), reverse=True) == [*worst.values()]

"""Two models on the same images: what is paired, by whom, and what is never compared."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats

from retspec.errors import Inconclusive, SubjectError, UsageError
from retspec.facts import Predictions, Statistic
from retspec.measurements.paired_difference import paired_difference
from retspec.measurements.run_spread import run_spread
from retspec.prepare import prepare
from retspec.records import PredictionFiles
from retspec.report.live.overwriting import read_by, require_apart
from retspec.results.prediction_hashes import prediction_hashes
from retspec.statistics import paired
from retspec.statistics.auroc import area
from retspec.subjects.predictions.metrics import Question
from retspec.subjects.predictions.reading import PredictionReader
from tests.predictions.tables import eyes, squashed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from retspec.records import Plan

COLUMNS: dict[str, Any] = {"id": "image", "label": "grade", "scores": "p", "group": "patient"}


class Study:
    """Two models about the eyes of the same patients, as files."""

    def __init__(self, folder: Path, *, diseased: int = 80, healthy: int = 120, agreement: float = 0.9) -> None:
        self.folder = folder
        self.truth, shared, self.patients = eyes(diseased, healthy, distance=2.2)
        generator = np.random.default_rng(5)
        self.scores = [
            squashed(agreement * shared + 0.3 * generator.normal(size=len(shared)) - 1) for _ in ("new", "old", "more")
        ]
        for name, scores in zip(("new", "old", "more"), self.scores, strict=True):
            self.write(f"{name}.csv", scores)
        self.files = PredictionReader(PredictionFiles(csv="new.csv", **COLUMNS), folder)

    def write(
        self, name: str, scores: NDArray[np.float64], *, order: Any = None, change: Callable[[str], str] = str
    ) -> None:
        rows = [
            f"{index:03}.png,{int(self.truth[index])},{scores[index]:.9f},P{self.patients[index]}"
            for index in (range(len(scores)) if order is None else order)
        ]
        (self.folder / name).write_text(change("\n".join(["image,grade,p,patient", *rows])) + "\n")

    @property
    def predictions(self) -> Predictions:
        return self.files.read()

    def difference(self, baseline: str = "old.csv", metric: str = "auroc", **arguments: Any) -> Statistic:
        found = paired_difference(self.predictions, self.files, baseline=baseline, metric=metric, **arguments)
        assert isinstance(found, Statistic)
        return found

    def spread(self, *runs: str, metric: str = "auroc", **arguments: Any) -> Statistic:
        found = run_spread(self.predictions, self.files, runs=[*runs], metric=metric, **arguments)
        assert isinstance(found, Statistic)
        return found


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path)


def delong(truth: NDArray[np.bool_], first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[float, float]:
    """The difference and its variance by DeLong's structural components, over all pairs."""
    by_x, by_y = [], []
    for scores in (first, second):
        x, y = scores[truth], scores[~truth]
        wins = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
        by_x.append(wins.mean(axis=1))
        by_y.append(wins.mean(axis=0))
    variance = np.cov(by_x) / truth.sum() + np.cov(by_y) / (~truth).sum()
    contrast = np.array([1, -1])
    return float(by_x[0].mean() - by_x[1].mean()), float(contrast @ variance @ contrast)


@pytest.mark.parametrize("digits", [1, 12])
def test_with_one_eye_a_patient_areas_are_compared_as_delong_does(digits: int) -> None:
    truth, first, _ = eyes(30, 50)
    second = (first + np.random.default_rng(1).normal(size=len(first))).round(digits)
    found = paired.areas(truth, (first, second), np.arange(len(truth)), 0.95)
    value, variance = delong(truth, first, second)
    assert math.isclose(found.value, value, rel_tol=1e-9)
    assert math.isclose(found.upper - found.lower, 2 * 1.959963985 * math.sqrt(variance), rel_tol=1e-6)
    assert math.isclose(found.probability, 2 * stats.norm.sf(abs(value) / math.sqrt(variance)), rel_tol=1e-9)


def test_a_paired_interval_is_narrower_than_those_of_two_studies_and_wider_than_by_eye(study: Study) -> None:
    new, old, _ = study.scores
    found = paired.areas(study.truth, (new, old), study.patients, 0.95)
    alone = [area(study.truth, scores, study.patients).variance for scores in (new, old)]
    assert found.upper - found.lower < 0.7 * 2 * 1.96 * math.sqrt(sum(alone))
    doubled = paired.areas(
        np.repeat(study.truth, 2), (np.repeat(new, 2), np.repeat(old, 2)), np.repeat(study.patients, 2), 0.95
    )
    assert math.isclose(doubled.upper - doubled.lower, found.upper - found.lower, rel_tol=1e-9)


def test_two_models_without_an_error_are_not_known_to_be_equal() -> None:
    truth = np.arange(40) < 20
    found = paired.areas(truth, (truth + np.linspace(0, 0.1, 40), truth * 2.0), np.arange(40), 0.95)
    assert (found.value, found.lower) == (0, -found.upper)
    assert 0.1 < found.upper < 0.2


@pytest.mark.parametrize(("gained", "lost", "pairs"), [(9, 2, 91), (0, 0, 50), (0, 7, 60), (30, 1, 40), (1, 0, 12)])
def test_the_ends_of_tango_s_interval_are_where_the_score_is_a_quantile(gained: int, lost: int, pairs: int) -> None:
    for end, wanted in zip(
        paired.tango(gained / pairs, lost / pairs, pairs, 0.95), (1.959963985, -1.959963985), strict=True
    ):
        rest = np.linspace(max(0.0, -end) + 1e-9, (1 - end) / 2 - 1e-9, 400_001)
        likelihood = (
            stats.binom.logpmf(0, 0, 0.5)
            + _times(gained, rest + end)
            + _times(lost, rest)
            + _times(pairs - gained - lost, 1 - 2 * rest - end)
        )
        share = rest[np.nanargmax(likelihood)]  # of lost pairs, the most likely one under that difference
        score = (gained - lost - pairs * end) / math.sqrt(pairs * (2 * share + end - end**2))
        assert math.isclose(score, wanted, rel_tol=2e-3)


def _times(count: int, shares: NDArray[np.float64]) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return count * np.log(shares) if count else np.where(shares >= 0, 0.0, -np.inf)


def test_mcnemar_is_the_exact_test_of_the_images_that_differ() -> None:
    for gained, lost in [(9, 2), (0, 6), (5, 5), (40, 61)]:
        expected = stats.binomtest(gained, gained + lost).pvalue
        assert math.isclose(paired.mcnemar(paired.Outcomes(gained, lost)), expected, rel_tol=1e-9)
    assert paired.mcnemar(paired.Outcomes(0, 0)) == 1


def test_both_eyes_of_a_patient_count_as_one_where_they_agree() -> None:
    generator = np.random.default_rng(2)
    first, second = generator.random(100) < 0.9, generator.random(100) < 0.8
    once, _ = paired.shares((first, second), np.arange(100), 0.95)
    twice, outcomes = paired.shares((np.repeat(first, 2), np.repeat(second, 2)), np.repeat(np.arange(100), 2), 0.95)
    assert outcomes.gained == 2 * int((first & ~second).sum())
    assert abs((twice.upper - twice.lower) / (once.upper - once.lower) - 1) < 0.02
    by_eye, _ = paired.shares((np.repeat(first, 2), np.repeat(second, 2)), np.arange(200), 0.95)
    assert by_eye.upper - by_eye.lower < 0.75 * (once.upper - once.lower)


@pytest.mark.parametrize(
    ("metric", "arguments"),
    [
        ("auroc", {}),
        ("sensitivity", {"threshold": 0.5}),
        ("specificity", {"threshold": 0.5}),
        ("accuracy", {}),
        ("qwk", {}),
    ],
)
def test_each_metric_is_compared_image_by_image(study: Study, metric: str, arguments: dict[str, float]) -> None:
    found, asked = study.difference(metric=metric, **arguments), Question(metric, None, arguments.get("threshold"))
    assert found.interval is not None
    new, old = study.predictions, PredictionReader(PredictionFiles(csv="old.csv", **COLUMNS), study.folder).read()
    assert math.isclose(found.value, asked.value(new) - asked.value(old), abs_tol=1e-12)
    assert found.interval.lower < found.value < found.interval.upper
    assert found.interval.upper - found.interval.lower < 0.2
    assert "by patient" in found.interval.method
    assert found.few == ""
    assert found.details[f"{metric} of old.csv"] == round(asked.value(old), 4)


def test_the_values_are_those_of_scikit_learn(study: Study) -> None:
    from sklearn.metrics import accuracy_score, cohen_kappa_score, recall_score, roc_auc_score

    called = study.scores[0] >= 0.5
    expected = {
        "auroc": roc_auc_score(study.truth, study.scores[0]),
        "accuracy": accuracy_score(study.truth, called),
        "sensitivity": recall_score(study.truth, called),
        "specificity": recall_score(~study.truth, ~called),
        "qwk": cohen_kappa_score(study.truth, called, weights="quadratic"),
    }
    for metric, value in expected.items():
        threshold = 0.5 if metric in {"sensitivity", "specificity"} else None
        assert math.isclose(Question(metric, None, threshold).value(study.predictions), value, rel_tol=1e-6), metric


def test_the_rows_of_the_baseline_may_be_in_any_order(study: Study) -> None:
    study.write("mixed.csv", study.scores[1], order=np.random.default_rng(0).permutation(len(study.truth)))
    mixed, ordered = study.difference("mixed.csv"), study.difference()
    assert (mixed.value, mixed.interval) == (ordered.value, ordered.interval)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.rpartition("\n")[0], "1 of 400 are not there, and 0 of its 399 are not judged"),
        (lambda text: text + "\nother.png,0,0.5,P7", "0 of 400 are not there, and 1 of its 401 are not judged"),
        (lambda text: text.replace(".png", ".jpg"), "400 of 400 are not there, and 400 of its 400 are not judged"),
        (lambda text: text + "\n" + text.rpartition("\n")[2], "1 of 401 rows are of an image that has a row already"),
        (lambda text: text.replace("000.png,1", "000.png,0"), "1 of 400 images have another label than in new.csv"),
    ],
)
def test_a_baseline_of_other_images_is_an_error(study: Study, change: Callable[[str], str], message: str) -> None:
    study.write("other.csv", study.scores[1], change=change)
    for compare in (study.difference, study.spread):
        with pytest.raises(SubjectError, match=message):
            compare("other.csv")


def test_names_that_belong_to_other_rows_are_found_by_their_labels(study: Study) -> None:
    names = np.random.default_rng(0).permutation(len(study.truth))
    rows = [
        f"{name:03}.png,{int(t)},{p:.6f},P1" for name, t, p in zip(names, study.truth, study.scores[1], strict=True)
    ]
    (study.folder / "shuffled.csv").write_text("\n".join(["image,grade,p,patient", *rows]) + "\n")
    with pytest.raises(SubjectError, match="images have another label"):
        study.difference("shuffled.csv")


@pytest.mark.parametrize("metric", ["auroc", "accuracy", "qwk"])
def test_nothing_is_compared_with_a_baseline_that_knows_nothing(study: Study, metric: str) -> None:
    study.write("shuffled.csv", np.random.default_rng(0).permutation(study.scores[1]))
    with pytest.raises(Inconclusive, match="nothing would be inferior to it"):
        study.difference("shuffled.csv", metric)


def test_one_model_is_not_compared_with_itself(study: Study) -> None:
    study.write("again.csv", study.scores[0], order=range(len(study.truth))[::-1])
    with pytest.raises(Inconclusive, match=r"again.csv holds the same scores as new.csv"):
        study.difference("again.csv")
    with pytest.raises(Inconclusive, match=r"again.csv holds the same scores as new.csv"):
        study.spread("old.csv", "again.csv")


@pytest.mark.parametrize(
    ("metric", "arguments", "message"),
    [
        ("sensitivity", {}, "sensitivity needs a threshold"),
        ("auroc", {"threshold": 0.5}, "auroc has no threshold"),
        ("qwk", {"positive": 1}, "qwk is about all classes"),
    ],
)
def test_arguments_belong_to_the_metric(study: Study, metric: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SubjectError, match=message):
        study.difference(metric=metric, **arguments)
    with pytest.raises(SubjectError, match=message):
        study.spread("old.csv", metric=metric, **arguments)


def test_few_patients_have_no_verdict(tmp_path: Path) -> None:
    small = Study(tmp_path, diseased=12, healthy=40)
    assert small.difference().few == "there are only 12 positive patients; 30 are needed (`min_patients`)"
    assert small.difference(metric="specificity", threshold=0.5).few == ""


def test_runs_are_compared_by_their_range_or_their_deviation(study: Study) -> None:
    values = [area(study.truth, scores, study.patients).value for scores in study.scores]
    found = study.spread("old.csv", "more.csv")
    assert math.isclose(found.value, max(values) - min(values), abs_tol=1e-12)
    assert list(found.details["auroc"]) == ["new.csv", "old.csv", "more.csv"]
    assert found.few == ""
    deviation = study.spread("old.csv", "more.csv", spread="deviation")
    assert math.isclose(deviation.value, float(np.std(values, ddof=1)), rel_tol=1e-9)


def test_two_runs_are_too_few_and_one_is_named_once(study: Study) -> None:
    assert study.spread("old.csv").few == "there are only 2 runs; 3 are needed (`min_runs`)"
    with pytest.raises(SubjectError, match=r"new.csv is the one that is judged, which counts anyway"):
        study.spread("new.csv", "old.csv")
    with pytest.raises(SubjectError, match=r"old.csv is named twice"):
        study.spread("old.csv", "old.csv")


@pytest.fixture
def plan(study: Study) -> Plan:
    lines = [
        "retspec: 1",
        "predictions: {csv: new.csv, id: image, label: grade, scores: p, group: patient}",
        "checks:",
        "  non_inferiority: {limit: -0.02, judge: bound, with: {baseline: old.csv, metric: auroc}}",
        "  seed_spread: {limit: 0.02, with: {runs: [old.csv, more.csv], metric: auroc}}",
    ]
    (study.folder / "spec.yaml").write_text("\n".join(lines) + "\n")
    return prepare(study.folder / "spec.yaml", entry_points=False)[0]


@pytest.mark.parametrize("name", ["new.csv", "old.csv", "more.csv"])
def test_no_report_replaces_what_is_compared(plan: Plan, study: Study, name: str) -> None:
    with pytest.raises(UsageError, match=rf"would replace '{name}', which is read"):
        require_apart([study.folder / name], [read_by(plan.spec)], plan.spec.folders)


def test_the_provenance_has_the_hash_of_each_file(plan: Plan, study: Study) -> None:
    expected = {
        name: hashlib.sha256((study.folder / name).read_bytes()).hexdigest()
        for name in ("new.csv", "old.csv", "more.csv")
    }
    assert prediction_hashes(plan) == expected
    (study.folder / "old.csv").unlink()
    assert [*prediction_hashes(plan)] == ["new.csv", "more.csv"]


@pytest.mark.usefixtures("plan")
def test_files_of_a_base_spec_are_relative_to_it(study: Study) -> None:
    (study.folder / "above").mkdir()
    (study.folder / "above" / "spec.yaml").write_text("retspec: 1\nextends: ../spec.yaml\n")
    above = prepare(study.folder / "above" / "spec.yaml", entry_points=False)[0]
    assert above.spec.criteria[0].arguments["baseline"] == "../old.csv"
    assert [*above.spec.criteria[1].arguments["runs"]] == ["../old.csv", "../more.csv"]
    assert prediction_hashes(above).keys() == {"../new.csv", "../old.csv", "../more.csv"}

"""Values of a regression, several labels an image and masks by their counts: read, and judged by patient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, roc_auc_score

from retspec.errors import Inconclusive, SubjectError
from retspec.measurements import predicted_numbers
from retspec.measurements.multilabel import label_aurocs
from retspec.measurements.predicted_numbers import overlaps
from retspec.measurements.regression import absolute_error, agreement_limits, explained_variance
from retspec.measurements.segmentation import dice_scores
from retspec.records import PredictionFiles
from retspec.statistics.regression import agreement
from retspec.subjects.predictions.reading import PredictionReader, quiet
from tests.predictions.tables import eyes, squashed

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.facts import PredictedNumbers, Statistic

REGRESSION: dict[str, Any] = {"id": "image", "label": "age", "values": "predicted", "group": "patient"}
LABELS: dict[str, Any] = {"id": "image", "labels": ["dr", "amd"], "scores": ["p_dr", "p_amd"], "group": "patient"}
MASKS: dict[str, Any] = {"id": "case", "counts": ["tp", "fp", "fn"], "structure": "structure", "group": "patient"}


def reader(folder: Path, text: str, section: dict[str, Any], **more: Any) -> PredictionReader:
    (folder / "test.csv").write_text(text)
    return PredictionReader(PredictionFiles(csv="test.csv", **{**section, **more}), folder)


def predicted_values(files: PredictionReader) -> PredictedNumbers:
    return predicted_numbers.predicted_values(files, quiet)


def label_scores(files: PredictionReader) -> PredictedNumbers:
    return predicted_numbers.label_scores(files, quiet)


class Ages:
    """Two eyes of 60 patients, with errors that both eyes share."""

    def __init__(self, folder: Path, *, patients: int = 60, factor: float = 1.0, shift: float = 0.0) -> None:
        generator = np.random.default_rng(0)
        self.patients = np.repeat(np.arange(patients), 2)
        self.truths = np.repeat(generator.uniform(30, 80, size=patients).round(1), 2)
        shared = np.repeat(generator.normal(scale=3, size=patients), 2)
        noise = generator.normal(scale=1, size=2 * patients)
        self.predicted = ((self.truths + shared + noise + shift) * factor).round(4)
        rows = [
            f"{index}.png,{truth},{value},P{patient}"
            for index, (truth, value, patient) in enumerate(
                zip(self.truths, self.predicted, self.patients, strict=True)
            )
        ]
        self.files = reader(folder, "\n".join(["image,age,predicted,patient", *rows]) + "\n", REGRESSION)
        self.read = predicted_values(self.files)


def ends(found: Statistic) -> tuple[float, float]:
    assert found.interval is not None
    return found.interval.lower, found.interval.upper


def test_the_numbers_of_a_regression_are_those_of_scikit_learn(tmp_path: Path) -> None:
    ages = Ages(tmp_path, shift=1.5)
    assert math.isclose(absolute_error(ages.read).value, mean_absolute_error(ages.truths, ages.predicted))
    assert math.isclose(explained_variance(ages.read).value, r2_score(ages.truths, ages.predicted))
    differences = ages.predicted - ages.truths
    limit = abs(differences.mean()) + 1.96 * differences.std(ddof=1)
    found = agreement_limits(ages.read)
    assert math.isclose(found.value, limit)
    assert found.details["bias"] == float(f"{differences.mean():.4g}")


@pytest.mark.parametrize("measure", [absolute_error, explained_variance, agreement_limits])
def test_both_eyes_of_a_patient_are_no_two_patients(tmp_path: Path, measure: Any) -> None:
    ages = Ages(tmp_path)
    (tmp_path / "alone").mkdir()
    alone = reader(tmp_path / "alone", (tmp_path / "test.csv").read_text(), REGRESSION, group=None)
    by_patient, by_image = measure(ages.read), measure(predicted_values(alone))
    assert math.isclose(by_patient.value, by_image.value)
    low, high = ends(by_patient)
    assert low < by_patient.value < high
    assert high - low > 1.2 * (ends(by_image)[1] - ends(by_image)[0])
    assert "by patient" in by_patient.interval.method
    assert "no `group` names the patient" in by_image.interval.method
    assert (by_patient.interval.patients, by_image.interval.patients) == (60, None)


def test_another_unit_shows_in_r2_and_in_the_means_but_not_in_the_correlation(tmp_path: Path) -> None:
    found = explained_variance(Ages(tmp_path, factor=12).read)
    assert found.value < -10
    assert found.details["correlation"] > 0.9
    assert found.details["mean of the predicted values"] > 10 * found.details["mean of the true values"]


def test_a_bootstrap_of_the_limits_agrees_with_their_standard_error() -> None:
    differences = np.random.default_rng(1).normal(size=400)
    found, _ = agreement(differences, np.arange(400), 0.95)
    expected = 1.96 * 2 * math.sqrt((1 / 400 + 1.96**2 / (2 * 399)) * differences.var(ddof=1))  # Bland and Altman 1999
    assert abs((found.upper - found.lower) / expected - 1) < 0.15


def test_a_regression_that_says_nothing_has_no_verdict(tmp_path: Path) -> None:
    same = "image,age,predicted,patient\n" + "".join(f"{i}.png,{i},5,P{i}\n" for i in range(40))
    for measure in (absolute_error, explained_variance, agreement_limits):
        with pytest.raises(Inconclusive, match="every predicted value is 5"):
            measure(predicted_values(reader(tmp_path, same, REGRESSION)))
    alike = "image,age,predicted,patient\n" + "".join(f"{i}.png,5,{i},P{i}\n" for i in range(40))
    with pytest.raises(Inconclusive, match="every true value is 5, so that there is nothing to explain"):
        explained_variance(predicted_values(reader(tmp_path, alike, REGRESSION)))
    one = "image,age,predicted,patient\na,1,2,P\nb,3,5,P\n"
    with pytest.raises(Inconclusive, match="no interval can be computed"):
        absolute_error(predicted_values(reader(tmp_path, one, REGRESSION)))
    few = absolute_error(Ages(tmp_path, patients=12).read).few
    assert few == "there are only 12 different patients; 30 are needed (`min_patients`)"


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        ("image,age,predicted,patient\na,5,x,P\n", {}, "'predicted' is 'x', which is no finite number"),
        ("image,age,predicted,patient\na,5,nan,P\n", {}, "'predicted' is blank"),
        ("image,age,predicted,patient\na,5,inf,P\n", {}, "'predicted' is 'inf', which is no finite number"),
        ("image,age,predicted,patient\na,,4,P\n", {}, "'age' is blank"),
        ("image,age,predicted,patient\na,5,4,\n", {}, "the column 'patient' is blank"),
        ("image,age,predicted,patient\na,5,4,P\na,5,4,P\n", {}, "line 3: it is of an image that has a row already"),
        ("image,age,predicted,patient\na,5,4,P\n", {"values": "predictd"}, "no column 'predictd'"),
        ("image,age,predicted,patient,split\na,5,4,P,val\n", {"split": "test"}, "no row of the split 'test'"),
    ],
)
def test_what_is_no_value_is_an_error(tmp_path: Path, text: str, more: dict[str, Any], message: str) -> None:
    with pytest.raises(SubjectError, match=message):
        predicted_values(reader(tmp_path, text, REGRESSION, **more))


def test_only_the_judged_split_is_read(tmp_path: Path) -> None:
    text = "image,age,predicted,patient,split\na,5,4,P,val\nb,6,7,Q,test\nc,x,1,Q,val\n"
    found = predicted_values(reader(tmp_path, text, REGRESSION, split="test"))
    assert (found.ids, found.truths.tolist(), found.predicted.tolist()) == (("b",), [[6]], [[7]])


def test_each_kind_of_predictions_answers_its_own_checks(tmp_path: Path) -> None:
    files = Ages(tmp_path).files
    for read, message in ((files.read, "the scores of classes"), (files.read_labels, "several labels"),
                          (files.read_overlaps, "the pixels of masks")):  # fmt: skip
        with pytest.raises(SubjectError, match=f"this asks about {message}"):
            read()


def labelled(**logits: Any) -> str:
    """Return a table of two labels: dr is easy, amd is rare and hard."""
    dr, first, patients = eyes(60, 90, distance=3, seed=1)
    amd, second, _ = eyes(40, 110, distance=1, seed=2)
    change = squashed if not logits else np.asarray
    rows = [
        f"{index}.png,{int(a)},{int(b)},{p:.6f},{q:.6f},P{patient}"
        for index, (a, b, p, q, patient) in enumerate(
            zip(dr, amd, change(first), change(second), patients, strict=True)
        )
    ]
    return "\n".join(["image,dr,amd,p_dr,p_amd,patient", *rows]) + "\n"


def test_the_worst_label_is_judged_with_the_lowest_lower_end(tmp_path: Path) -> None:
    read = label_scores(reader(tmp_path, labelled(), LABELS))
    found = label_aurocs(read)
    areas = [roc_auc_score(read.truths[:, place], read.predicted[:, place]) for place in (0, 1)]
    assert math.isclose(found.value, areas[1])
    assert areas[0] > areas[1]
    assert found.details["worst label"] == "amd"
    assert [*found.details["auroc"]] == ["amd", "dr"]
    assert found.interval is not None
    assert found.interval.lower < found.value < found.interval.upper
    assert found.few == ""
    logits = label_scores(reader(tmp_path, labelled(are=1), {**LABELS, "scores": None}, logits=["p_dr", "p_amd"]))
    assert np.allclose(logits.predicted, read.predicted, atol=1e-5)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.png,1,", "0.png,2,", "'dr' is 2, which is no label: those are 0 or 1"),
        ("0.png,1,0,0.", "0.png,1,0,3.", "'p_dr' is 3.* if these are logits, name the columns as `logits:`"),
    ],
)
def test_what_is_no_label_or_probability_is_an_error(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = labelled()
    assert old in text
    with pytest.raises(SubjectError, match=message):
        label_scores(reader(tmp_path, text.replace(old, new), LABELS))


def test_a_label_that_no_image_has_gives_no_verdict(tmp_path: Path) -> None:
    text = "image,dr,amd,p_dr,p_amd,patient\n" + "".join(f"{i},{i % 2},0,0.{i},0.{i},P{i}\n" for i in range(10))
    with pytest.raises(Inconclusive, match="no image has the label 'amd', of 10"):
        label_aurocs(label_scores(reader(tmp_path, text, LABELS)))
    same = "image,dr,amd,p_dr,p_amd,patient\n" + "".join(f"{i},{i % 2},{i % 2},0.{i},.5,P{i}\n" for i in range(10))
    with pytest.raises(Inconclusive, match=r"all 10 images have the same score of 'amd', 0\.5"):
        label_aurocs(label_scores(reader(tmp_path, same, LABELS)))


def masks(cases: int = 40, *, absent: int = 0, alarms: int = 0) -> str:
    """Return the counts of a large structure, and of a small one that is absent in some cases."""
    generator = np.random.default_rng(4)
    rows = ["case,structure,tp,fp,fn,patient"]
    for case in range(cases):
        wrong = generator.integers(50, 150, size=2)
        rows.append(f"c{case},disc,900,{wrong[0]},{wrong[1]},P{case}")
        missed = int(generator.integers(10, 40))
        small = "0,0,0" if case < absent else f"0,{missed},0" if case < absent + alarms else f"60,10,{missed}"
        rows.append(f"c{case},cup,{small},P{case}")
    return "\n".join(rows) + "\n"


def test_dice_is_a_mean_over_cases_of_the_worst_structure(tmp_path: Path) -> None:
    read = overlaps(reader(tmp_path, masks(), MASKS))
    found = dice_scores(read)
    counts = read.counts[np.array(read.structures) == "cup"]
    dice = 2 * counts[:, 0] / (2 * counts[:, 0] + counts[:, 1] + counts[:, 2])
    assert math.isclose(found.value, dice.mean())
    assert found.details["worst structure"] == "cup"
    assert found.details["cup"]["lowest case"] == round(dice.min(), 4)
    low, high = ends(found)
    assert math.isclose(high - low, 2 * 1.959964 * dice.std(ddof=1) / math.sqrt(40), rel_tol=1e-4)
    assert found.interval is not None
    assert (found.interval.patients, found.few) == (40, "")


def test_a_mask_that_has_no_row_leaves_no_verdict(tmp_path: Path) -> None:
    rows = masks().splitlines()
    some = [row for row in rows if not row.startswith(("c3,cup", "c4,cup"))]
    found = dice_scores(overlaps(reader(tmp_path, "\n".join(some) + "\n", MASKS)))
    assert found.few.startswith("there is no row for 2 of 40 cases of 'cup'; write one with counts of 0")


def test_an_empty_mask_is_neither_right_nor_wrong_and_a_false_alarm_is_wrong(tmp_path: Path) -> None:
    whole, left_out = (dice_scores(overlaps(reader(tmp_path, masks(absent=n), MASKS))) for n in (0, 8))
    assert left_out.details["cup"]["left out, empty in both"] == 8
    assert left_out.details["cup"]["cases"] == 32
    assert abs(left_out.value - whole.value) < 0.02
    alarms = dice_scores(overlaps(reader(tmp_path, masks(alarms=8), MASKS)))
    assert alarms.details["cup"]["absent, but predicted (0)"] == 8
    assert abs(alarms.value - whole.value * 32 / 40) < 0.02


def test_a_structure_that_is_in_no_case_gives_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(Inconclusive, match="the true and the predicted mask of 'cup' are empty in every case"):
        dice_scores(overlaps(reader(tmp_path, masks(absent=40), MASKS)))


def test_cases_that_are_all_alike_are_not_known_to_stay_so(tmp_path: Path) -> None:
    text = "case,tp,fp,fn\n" + "".join(f"{i},5,0,0\n" for i in range(40))
    found = dice_scores(overlaps(reader(tmp_path, text, {"id": "case", "counts": ["tp", "fp", "fn"]})))
    assert (found.value, *ends(found)) == (1, 0, 1)


@pytest.mark.parametrize(
    ("count", "message"), [("-1", "'tp' is -1, which is no number"), ("0.5", "'tp' is 0.5, which")]
)
def test_what_is_no_count_is_an_error(tmp_path: Path, count: str, message: str) -> None:
    with pytest.raises(SubjectError, match=message):
        overlaps(reader(tmp_path, f"case,structure,tp,fp,fn,patient\na,cup,{count},1,1,P\n", MASKS))


def test_the_worst_are_named_only_where_the_spec_asks(tmp_path: Path) -> None:
    ages = Ages(tmp_path)
    assert ".png" not in str(absolute_error(ages.read))
    (found,) = absolute_error(ages.read, examples=1).details["largest errors"].items()
    place = int(np.argmax(abs(ages.predicted - ages.truths)))
    assert found == (f"{place}.png", float(f"{abs(ages.predicted - ages.truths).max():.4g}"))
    read = overlaps(reader(tmp_path, masks(), MASKS))
    assert "'c1'" not in str(dice_scores(read))
    lowest = dice_scores(read, examples=2).details["cases with the lowest Dice, as 1 - Dice"]
    assert len(lowest) == 2
    assert max(lowest.values()) == pytest.approx(1 - dice_scores(read).details["cup"]["lowest case"], abs=1e-3)

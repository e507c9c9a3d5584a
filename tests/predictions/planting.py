"""Faults of a table of predictions: each is a change of its columns, and what comes of every criterion about it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

HEALTHY = Path(__file__).parent / "healthy.yaml"
FOLDER = "RETSPEC_TEST_PREDICTIONS"
PATIENTS = 400
CLASSES = 5
Columns = dict[str, Any]
COMPUTED = (
    "min_auroc min_qwk min_sensitivity min_specificity min_sensitivity_at_specificity operating_point_drift "
    "min_class_recall max_calibration_error calibration_slope max_brier max_subgroup_gap min_subgroup_positives "
    "min_gain_over_prevalence "
)
"""All criteria that need whole rows."""


def _unchanged(columns: Columns) -> Columns:
    return columns


@dataclass(frozen=True)
class Fault:
    """A change of the healthy table, and every criterion that is not met because of it."""

    name: str
    change: Callable[[Columns], Columns] = _unchanged
    missed: str = ""
    undecided: str = ""

    @property
    def file(self) -> str:
        """The name of its table."""
        return f"{self.name.replace(' ', '-')}.csv"


def healthy() -> Columns:
    """Return a table whose labels are drawn from its probabilities: calibrated, and no subgroup differs."""
    generator = np.random.default_rng(7)
    rows = 4 * PATIENTS
    patients = np.repeat(np.arange(2 * PATIENTS), 2)
    severity = np.repeat(generator.uniform(-0.7, 4.7, size=2 * PATIENTS), 2) + 0.3 * generator.normal(size=rows)
    logits = -2.5 * (np.arange(CLASSES) - severity[:, None]) ** 2
    scores = _normed(np.exp(logits - logits.max(axis=1, keepdims=True)))
    grades = (generator.random(rows)[:, None] > scores.cumsum(axis=1)).sum(axis=1).clip(0, CLASSES - 1)
    return {
        "image": np.array(
            [f"{patient:03}_{'left' if row % 2 else 'right'}.png" for row, patient in enumerate(patients)]
        ),
        "patient": np.array([f"P{patient:03}" for patient in patients]),
        "sex": np.where(patients % 2, "f", "m"),
        "camera": np.where(patients % 3 == 0, "A", "B"),
        "split": np.where(patients < PATIENTS, "val", "test"),
        "grade": grades,
        "scores": scores,
    }


def write(path: Path, columns: Columns) -> Path:
    """Write a table; the probabilities are the last five columns."""
    names = [name for name in columns if name != "scores"]
    scores = np.char.mod("%.6g", columns["scores"])
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*names, *(f"p{index}" for index in range(CLASSES))])
        writer.writerows([*cells, *row] for *cells, row in zip(*(columns[name] for name in names), scores, strict=True))
    return path


def write_tables(folder: Path) -> None:
    """Write the table of every fault, and the list of the images that the split has."""
    table = healthy()
    for fault in FAULTS:
        write(folder / fault.file, fault.change(table))
    images = table["image"][table["split"] == "test"]
    (folder / "listed.csv").write_text("image\n" + "\n".join(images) + "\n")


def _normed(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(scores / scores.sum(axis=1, keepdims=True))


def _test(columns: Columns) -> NDArray[np.bool_]:
    return np.asarray(columns["split"] == "test")


def _rows(columns: Columns, places: Any) -> Columns:
    return {name: values[places] for name, values in columns.items()}


def _with_scores(columns: Columns, change: Callable[[NDArray[np.float64]], Any], where: Any = None) -> Columns:
    scores = columns["scores"].copy()
    places = _test(columns) if where is None else where
    scores[places] = change(scores[places])
    return columns | {"scores": scores}


def _with_grades(columns: Columns, change: Callable[[NDArray[np.int64]], Any]) -> Columns:
    grades = columns["grade"].copy()
    grades[_test(columns)] = change(grades[_test(columns)])
    return columns | {"grade": grades}


def _tilted(amount: float) -> Callable[[NDArray[np.float64]], Any]:
    """Return a function that makes all images look sicker by so much in the logit of each further grade."""
    return lambda scores: _normed(scores * np.exp(amount * np.arange(CLASSES)))


def _without(index: int) -> Callable[[NDArray[np.float64]], Any]:
    def change(scores: NDArray[np.float64]) -> Any:
        scores[:, index] *= 1e-3
        return _normed(scores)

    return change


def _few(columns: Columns) -> Columns:
    return _rows(columns, ~_test(columns) | (np.arange(len(columns["grade"])) >= 4 * PATIENTS - 40))


def _rare_camera(columns: Columns) -> Columns:
    few = _test(columns) & (np.arange(len(columns["grade"])) >= 4 * PATIENTS - 60)
    return columns | {"camera": np.where(few, "C", columns["camera"])}


def _blank_score(columns: Columns) -> Columns:
    return _with_scores(columns, lambda scores: np.where(np.arange(len(scores))[:, None] == 5, np.nan, scores))


RANKED = "min_auroc min_qwk min_sensitivity min_specificity min_sensitivity_at_specificity operating_point_drift "
FITTED = "min_class_recall max_calibration_error calibration_slope max_brier min_gain_over_prevalence "

FAULTS = (
    Fault("none"),
    Fault(
        "the labels are those of other images",
        lambda table: _with_grades(table, lambda grades: np.roll(grades, 202)),
        missed=RANKED + FITTED,
    ),
    Fault(
        "the classes are in the opposite order",
        lambda table: _with_scores(table, lambda scores: scores[:, ::-1]),
        missed=RANKED + FITTED,
    ),
    Fault(
        "two neighbouring classes are swapped",
        lambda table: _with_scores(table, lambda scores: scores[:, [0, 2, 1, 3, 4]]),
        missed=(RANKED + FITTED).replace("min_qwk ", "").replace("min_sensitivity_at_specificity ", ""),
        undecided="max_subgroup_gap",
    ),
    Fault(
        "a sampler repeated images",
        lambda table: _rows(table, np.r_[: len(table["grade"]), -6:0]),
        "predictions_complete",
        COMPUTED,
    ),
    Fault("the last batch is missing", lambda table: _rows(table, np.s_[:-16]), "predictions_complete"),
    Fault(
        "images of another split are judged",
        lambda table: table | {"split": np.roll(table["split"], 20)},
        "predictions_complete",
    ),
    Fault("a score is blank", _blank_score, "predictions_complete", COMPUTED),
    Fault(
        "logits are written as probabilities",
        lambda table: _with_scores(table, np.log),
        undecided=f"predictions_complete {COMPUTED}",
    ),
    Fault(
        "every image gets the same scores",
        lambda table: _with_scores(table, lambda scores: 0 * scores + 0.2),
        "min_class_recall",
        COMPUTED.replace("min_class_recall ", ""),
    ),
    Fault(
        "one class is never predicted",
        lambda table: _with_scores(table, _without(1)),
        "min_class_recall max_calibration_error operating_point_drift min_specificity",
    ),
    Fault(
        "the grade of every image is 0",
        lambda table: _with_grades(table, lambda grades: 0 * grades),
        undecided=COMPUTED,
    ),
    Fault(
        "the worst grade is not in the split",
        lambda table: _with_grades(table, lambda grades: grades.clip(0, 3)),
        undecided="min_class_recall",
    ),
    Fault(
        "the probabilities are far too sure",
        lambda table: _with_scores(table, lambda scores: _normed(scores**6)),
        "max_calibration_error calibration_slope",
    ),
    Fault(
        "the probabilities are far too flat",
        lambda table: _with_scores(table, lambda scores: _normed(scores**0.2)),
        "max_calibration_error calibration_slope operating_point_drift",
    ),
    Fault(
        "the camera of the test makes all eyes look sicker",
        lambda table: _with_scores(table, _tilted(3.0)),
        "max_calibration_error min_class_recall min_specificity operating_point_drift",
    ),
    Fault(
        "one of two cameras makes its eyes look sicker",
        lambda table: _with_scores(table, _tilted(3.0), _test(table) & (table["camera"] == "A")),
        "max_subgroup_gap",
        "operating_point_drift",
    ),
    Fault(
        "the test has 10 patients",
        _few,
        "predictions_complete min_subgroup_positives",
        COMPUTED.replace("min_subgroup_positives ", ""),
    ),
    Fault("one camera has 30 patients", _rare_camera, "min_subgroup_positives", "max_subgroup_gap"),
)

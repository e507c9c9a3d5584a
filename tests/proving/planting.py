"""The faults that `retspec prove` plants into data, predictions and checkpoints, and what comes of every criterion."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image

from tests.photos import table
from tests.predictions.planting import COMPUTED, FITTED, HEALTHY, RANKED

DATASET = Path(__file__).parent / "dataset.yaml"
FOLDER = "RETSPEC_TEST_PROVING"
SPECS = (DATASET, HEALTHY)
CLASSES = 3
SIDE = 96


@dataclass(frozen=True)
class Row:
    """A fault of retspec in a healthy subject, and every criterion that is not met because of it."""

    planted: str
    spec: Path
    missed: frozenset[str]
    undecided: frozenset[str]


def write_dataset(folder: Path) -> None:
    """Write 18 images with as much in them as a photograph has, of a patient each, and the tables of two splits."""
    (folder / "images").mkdir()
    for index in range(18):
        grid = np.random.default_rng(index).integers(0, 256, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(grid).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(folder / f"images/{index}.png")
    rows = [f"{index}.png,{index % CLASSES},P{index}" for index in range(18)]
    table(folder / "train.csv", "image,grade,patient", rows[:12])
    table(folder / "test.csv", "image,grade,patient", rows[12:])


def hashes(folder: Path) -> dict[str, str]:
    """Return the hash of every file below a folder."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def of(spec: Path, planted: str, missed: str, undecided: str = "") -> Row:
    """State a fault of a healthy subject; missed, undecided: criteria, separated by spaces."""
    return Row(planted, spec, frozenset(missed.split()), frozenset(undecided.split()))


OF_PIXELS = "blank_images near_duplicate_images unusual_images"
ROWS = (
    of(DATASET, "patient_in_two_splits", "split_leakage"),
    of(DATASET, "image_in_two_splits", "split_leakage duplicate_images"),
    of(DATASET, "image_saved_again", "near_duplicate_images"),
    of(DATASET, "image_missing", "missing_files", f"{OF_PIXELS} corrupt_images duplicate_images split_leakage"),
    of(DATASET, "image_truncated", "corrupt_images", OF_PIXELS),
    of(DATASET, "image_blank", "blank_images"),
    of(DATASET, "labels_from_one", "labels_out_of_range class_map_mismatch"),
    of(DATASET, "classes_reordered", "class_map_mismatch"),
    of(DATASET, "class_lost", "min_class_count max_class_imbalance"),
    of(DATASET, "normalized_for_another", "normalization_atol"),
    of(HEALTHY, "scores_shuffled", RANKED + FITTED),
    of(HEALTHY, "score_columns_reversed", RANKED + FITTED),
    of(HEALTHY, "one_answer", "min_class_recall", COMPUTED.replace("min_class_recall ", "")),
    of(HEALTHY, "overconfident", "max_calibration_error calibration_slope"),
    of(
        HEALTHY,
        "subgroup_failed",
        "max_subgroup_gap calibration_slope max_brier max_calibration_error min_auroc min_gain_over_prevalence "
        "min_qwk min_specificity operating_point_drift",
        "min_sensitivity",
    ),
    of(HEALTHY, "images_unpredicted", "predictions_complete"),
    of(HEALTHY, "images_repeated", "predictions_complete", COMPUTED),
    of(HEALTHY, "score_is_nan", "predictions_complete", COMPUTED),
    of(HEALTHY, "subgroup_too_small", "min_subgroup_positives predictions_complete", "max_subgroup_gap"),
)

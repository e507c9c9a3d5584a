"""A drawn clinic: two eyes a patient, sex and camera, and one camera whose pictures are harder to read."""

from __future__ import annotations

import csv
from random import Random
from typing import TYPE_CHECKING

from retspec_retfound.samples.images import draw_fundus

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

SHARES = {"train": 1.0, "val": 0.5, "test": 1.0}
"""Patients of each split, as a share of those of the test."""
FIRST_EYE = (40, 15, 20, 15, 10)
"""How many of a hundred first eyes have each grade."""
BILATERAL = 0.8
"""Share of patients whose second eye has the grade of the first; the others differ by one grade."""
HARD_CAMERA, EASY_CAMERA = "handheld", "tabletop"
HARD = 0.4
"""Share of patients of the harder camera."""
SIDE = 128
"""Width of the pictures in pixels: enough for the drawn lesions, and small enough to train on in a minute."""


def write_clinic(folder: Path, patients: int) -> int:
    """Write `train.csv`, `val.csv`, `test.csv` and `images`; return the number of images. Each has a row in a table.

    patients: of the test. A clinic of another number of patients has other pictures.
    """
    (folder / "images").mkdir(parents=True)
    chance = Random(patients)  # noqa: S311 - a drawing
    written = 0
    for split, share in SHARES.items():
        with (folder / f"{split}.csv").open("w", newline="", encoding="utf-8") as stream:
            table = csv.writer(stream)
            table.writerow(("image", "grade", "patient", "sex", "camera"))
            for number in range(max(2, round(share * patients))):
                patient = (f"{split}-{number}", chance.choice("fm"), _camera(chance))
                first = chance.choices(range(len(FIRST_EYE)), FIRST_EYE)[0]
                for eye, grade in (("left", first), ("right", _second(chance, first))):
                    name = f"{split}_{number:04}_{eye}.jpg"
                    _photograph(grade, patient[-1], seed=20_000 + written).save(folder / "images" / name, quality=90)
                    table.writerow((name, grade, *patient))
                    written += 1
    return written


def _camera(chance: Random) -> str:
    return HARD_CAMERA if chance.random() < HARD else EASY_CAMERA


def _second(chance: Random, grade: int) -> int:
    """Return the grade of the other eye."""
    if chance.random() < BILATERAL:
        return grade
    return min(max(grade + chance.choice((-1, 1)), 0), len(FIRST_EYE) - 1)


def _photograph(grade: int, camera: str, *, seed: int) -> Image:
    """Return the picture that a camera takes of a drawn eye: that of the harder one is dark and out of focus."""
    from PIL import ImageEnhance, ImageFilter

    image = draw_fundus(grade, seed=seed)
    if camera == HARD_CAMERA:
        image = ImageEnhance.Brightness(image.filter(ImageFilter.GaussianBlur(4))).enhance(0.6)
    image.thumbnail((SIDE, SIDE))
    return image

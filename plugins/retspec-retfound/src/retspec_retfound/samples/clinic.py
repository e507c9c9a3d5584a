"""A drawn clinic: two eyes a patient, sex and camera, and one camera that is often out of focus."""

from __future__ import annotations

import csv
from random import Random
from typing import TYPE_CHECKING

from retspec_retfound.samples.images import draw_fundus

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

SHARES = {"train": 1.0, "val": 0.25, "test": 1.0}
"""Patients of each split, as a share of those of the test."""
FIRST_EYE = (45, 20, 15, 12, 8)
"""How many of a hundred first eyes have each grade."""
BILATERAL = 0.8
"""Share of patients whose second eye has the grade of the first; the others differ by one grade."""
HANDHELD = 0.45
"""Share of patients whose eyes are photographed with the handheld camera."""
OUT_OF_FOCUS = {"tabletop": 0.03, "handheld": 0.35}
"""Share of the pictures of each camera in which no lesion can be seen: what a release gate has to notice."""
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
                    is_sharp = chance.random() >= OUT_OF_FOCUS[patient[-1]]
                    picture = _photograph(grade, is_sharp=is_sharp, seed=20_000 + written)
                    picture.save(folder / "images" / name, quality=90)
                    table.writerow((name, grade, *patient))
                    written += 1
    return written


def _camera(chance: Random) -> str:
    return "handheld" if chance.random() < HANDHELD else "tabletop"


def _second(chance: Random, grade: int) -> int:
    """Return the grade of the other eye."""
    if chance.random() < BILATERAL:
        return grade
    return min(max(grade + chance.choice((-1, 1)), 0), len(FIRST_EYE) - 1)


def _photograph(grade: int, *, is_sharp: bool, seed: int) -> Image:
    """Return a picture of a drawn eye; one that is out of focus is dark, too, as where the pupil is missed."""
    from PIL import ImageEnhance, ImageFilter

    image = draw_fundus(grade, seed=seed)
    if not is_sharp:
        image = ImageEnhance.Brightness(image.filter(ImageFilter.GaussianBlur(20))).enhance(0.4)
    image.thumbnail((SIDE, SIDE))
    return image

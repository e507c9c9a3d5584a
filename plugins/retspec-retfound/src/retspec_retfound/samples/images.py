"""Drawings of a fundus by grade: a disc, an optic disc, vessels, and lesions that grow in number and kind."""

from __future__ import annotations

import csv
from math import cos, pi, sin
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

GRADES = ("anodr", "bmilddr", "cmoderatedr", "dseveredr", "eproliferativedr")
"""Folders of the five grades, as RETFound's splits call them: their alphabetical order is that of the disease."""
SPLITS = {"train": 6, "val": 2, "test": 2}
"""Images per grade."""
APTOS_COUNTS = {"train": (10, 2, 5, 2, 2), "val": (4, 1, 2, 1, 1)}
"""Images per grade of the tables; unbalanced as APTOS 2019 is, if less."""
WIDTH, HEIGHT = 320, 256
MICROANEURYSMS, HAEMORRHAGES, EXUDATES, NEW_VESSELS = (
    (0, 4, 10, 20, 20),
    (0, 0, 4, 12, 10),
    (0, 0, 5, 8, 8),
    (0, 0, 0, 0, 6),
)
"""Lesions by grade."""


def write_folders(folder: Path) -> int:
    """Write `train`, `val` and `test`, each with a folder per grade, and return the number of images."""
    written = 0
    for split, count in SPLITS.items():
        for grade, name in enumerate(GRADES):
            (folder / split / name).mkdir(parents=True)
            for _ in range(count):
                draw_fundus(grade, seed=written).save(folder / split / name / f"{written:04}.png")
                written += 1
    return written


def write_tables(folder: Path) -> int:
    """Write `train.csv`, `val.csv` and `train_images`, as APTOS 2019 has them; return the number of rows.

    Beside id_code and diagnosis there is the patient, two images of each: what a split must not tear apart.
    """
    (folder / "train_images").mkdir(parents=True)
    written = 0
    for split, counts in APTOS_COUNTS.items():
        grades = [grade for grade, count in enumerate(counts) for _ in range(count)]
        with (folder / f"{split}.csv").open("w", newline="", encoding="utf-8") as stream:
            table = csv.writer(stream)
            table.writerow(("id_code", "diagnosis", "patient"))
            for index, grade in enumerate(grades):
                code = f"{written:012x}"
                # Other seeds than those of the folders: the two sets share no image.
                draw_fundus(grade, seed=10_000 + written).save(folder / "train_images" / f"{code}.png")
                table.writerow((code, grade, f"{split}-{index // 2}"))
                written += 1
    return written


def draw_fundus(grade: int, *, seed: int) -> Image:
    """Return an image (red, green, blue) of a grade from 0 to 4, wider than high as photographs are."""
    from PIL import Image, ImageDraw, ImageFilter

    chance = Random(seed)  # noqa: S311 - a drawing
    image = Image.new("RGB", (WIDTH, HEIGHT))
    pen = ImageDraw.Draw(image)
    centre, radius = (WIDTH / 2, HEIGHT / 2), HEIGHT * 0.47
    _dot(pen, centre, radius, (180 + chance.randint(-20, 20), 85 + chance.randint(-15, 15), 40))
    optic_disc = (centre[0] + chance.choice((-1, 1)) * radius * 0.55, centre[1])
    for angle in range(0, 360, 45):
        _vessel(pen, optic_disc, angle + chance.randint(-15, 15), length=radius * 0.42, width=3)
    _dot(pen, optic_disc, radius * 0.16, (250, 215, 140))
    for count, size, colour in (
        (MICROANEURYSMS[grade], 1.5, (110, 15, 10)),
        (HAEMORRHAGES[grade], 5, (90, 10, 10)),
        (EXUDATES[grade], 3.5, (245, 225, 120)),
    ):
        for _ in range(count):
            _dot(pen, _somewhere(chance, centre, radius * 0.85), size, colour)
    for _ in range(NEW_VESSELS[grade]):
        _vessel(pen, optic_disc, chance.randint(0, 359), length=radius * 0.35, width=1)
    return image.filter(ImageFilter.GaussianBlur(0.7))


def _dot(pen: ImageDraw, centre: tuple[float, float], radius: float, colour: tuple[int, int, int]) -> None:
    x, y = centre
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _vessel(pen: ImageDraw, start: tuple[float, float], angle: float, *, length: float, width: int) -> None:
    """Draw a line that winds away from a point."""
    steps = 12
    along = [(step / steps * length, 0.25 * length * sin(step / steps * pi)) for step in range(steps + 1)]
    turn = angle * pi / 180
    points = [(start[0] + a * cos(turn) - b * sin(turn), start[1] + a * sin(turn) + b * cos(turn)) for a, b in along]
    pen.line(points, fill=(120, 30, 20), width=width)


def _somewhere(chance: Random, centre: tuple[float, float], radius: float) -> tuple[float, float]:
    """Return a point in a disc, equally likely everywhere."""
    distance, angle = radius * chance.random() ** 0.5, 2 * pi * chance.random()
    return centre[0] + distance * cos(angle), centre[1] + distance * sin(angle)

"""The folder that the tests of predictions by retspec work in."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from PIL import Image

from tests.predictions.making.tools import SHADES


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nine images for a test and three for a training; a class is a colour, and two images are of a patient."""
    (tmp_path / "images").mkdir()
    for split, times in (("train", 1), ("test", 3)):
        rows = []
        for number in range(3 * times):
            file = f"{split}_{number}.png"
            Image.new("RGB", (12, 10), SHADES[number % 3]).save(tmp_path / "images" / file)
            name = ("mild", "none", "severe")[number % 3]
            rows.append((file, name, f"{split}-{number // 2}", "A" if number % 2 else "B, old", "f"))
        with (tmp_path / f"{split}.csv").open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([("image", "grade", "patient", "camera", "sex"), *rows])
    return tmp_path

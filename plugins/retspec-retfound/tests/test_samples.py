"""The samples have the layouts of the published files; the command writes them and overwrites nothing."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import retspec
from click.testing import CliRunner
from PIL import Image, ImageChops

import retspec_retfound
from retspec_retfound.cli import KINDS, main
from retspec_retfound.samples import weights
from retspec_retfound.samples.images import APTOS_COUNTS, GRADES, SPLITS, draw_fundus, write_tables


def test_the_full_size_is_that_of_the_published_file() -> None:
    """Counted on shapes: 294 tensors of the encoder, 104 of the decoder."""
    encoder, decoder = weights._encoder("large", 24), weights._decoder(weights.DECODER_BLOCKS)
    shapes = encoder | decoder
    assert (len(encoder), len(decoder)) == (294, 104)
    assert sum(shape.numel() for shape in shapes.values()) == 329_541_888
    assert len(weights._encoder("green", 12)) == 175
    assert len(weights._encoder("dinov2", 24)) == 344 - 2


def test_the_command_knows_every_kind() -> None:
    assert set(KINDS) == set(weights.KINDS)


def test_the_command_writes_checkpoints_and_images(tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    finished = CliRunner().invoke(main, ["make-sample", str(folder), "--kind", "green"])
    assert finished.exit_code == 0, finished.output
    assert (folder / "RETFound_green.pth").stat().st_size == pytest.approx(87.38e6, rel=1e-3)
    for split, count in SPLITS.items():
        assert [len(list((folder / "imagefolder" / split / grade).iterdir())) for grade in GRADES] == [count] * 5
    assert "50 images in three splits" in finished.output
    assert not (folder / "RETFound_mae.pth").exists()


def test_nothing_is_written_over_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("results of a year")
    finished = CliRunner().invoke(main, ["make-sample", str(tmp_path)])
    assert finished.exit_code == 2
    assert "is not empty" in finished.output
    assert len(list(tmp_path.iterdir())) == 1


def test_help_needs_no_torch() -> None:
    proof = "import sys, retspec_retfound.cli; sys.exit('torch' in sys.modules)"
    sources = [Path(module.__file__ or "").parents[1] for module in (retspec, retspec_retfound)]
    environment = {"PYTHONPATH": ":".join(map(str, [*sources, *sys.path]))}
    finished = subprocess.run([sys.executable, "-c", proof], env=environment, check=False)  # noqa: S603 - our own
    assert finished.returncode == 0


def test_the_table_has_the_columns_of_aptos(tmp_path: Path) -> None:
    assert write_tables(tmp_path / "aptos") == sum(map(sum, APTOS_COUNTS.values()))
    for split, counts in APTOS_COUNTS.items():
        with (tmp_path / "aptos" / f"{split}.csv").open(encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        assert [sum(int(row["diagnosis"]) == grade for row in rows) for grade in range(5)] == list(counts)
        assert all((tmp_path / "aptos" / "train_images" / f"{row['id_code']}.png").is_file() for row in rows)


def test_drawings_repeat_themselves_and_show_their_grade() -> None:
    assert draw_fundus(3, seed=1).tobytes() == draw_fundus(3, seed=1).tobytes()
    healthy, severe = draw_fundus(0, seed=1), draw_fundus(3, seed=1)
    assert ImageChops.difference(healthy, severe).getbbox() is not None
    assert isinstance(healthy, Image.Image)
    assert healthy.width > healthy.height


def test_a_clinic_has_two_eyes_a_patient_and_no_patient_in_two_splits(tmp_path: Path) -> None:
    finished = CliRunner().invoke(main, ["make-sample", str(tmp_path / "clinic"), "--clinic", "8"])
    assert finished.exit_code == 0, finished.output
    patients: dict[str, int] = {}
    for split, number in (("train", 8), ("val", 2), ("test", 8)):
        with (tmp_path / "clinic" / f"{split}.csv").open(encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        assert len(rows) == 2 * number
        for row in rows:
            assert (tmp_path / "clinic" / "images" / row["image"]).is_file()
            patients[row["patient"]] = patients.get(row["patient"], 0) + 1
    assert set(patients.values()) == {2}
    assert len(patients) == 18

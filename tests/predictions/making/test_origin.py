"""Predictions made by retspec say where they are from, and have no verdict where that is no longer so."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from retspec.errors import SubjectError
from retspec.prepare import prepare
from retspec.review.recorded import verify
from tests.predictions.making.tools import (
    MADE,
    MAKING,
    PLUGIN,
    READING,
    checkpoint,
    judged,
    read,
    spec_of,
    subject_of,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_the_provenance_has_the_hash_of_what_this_run_made_and_verify_holds_it(folder: Path) -> None:
    read(folder, model=", kwargs: {scale: 2.0}")
    report = judged(folder)
    assert report.exit_code == 0
    sha256 = hashlib.sha256((folder / MADE).read_bytes()).hexdigest()
    assert dict(report.provenance.predictions_sha256) == {MADE: sha256}
    plan, _ = prepare(spec_of(folder), plugins=[PLUGIN], entry_points=False)
    assert all(each.holds for each in verify(report, [plan]))
    read(folder, model=", kwargs: {scale: 2.0}")
    (wrong,) = [each.text for each in verify(report, [plan]) if not each.holds]
    assert wrong.startswith(f"{MADE}: SHA-256 ")
    assert wrong.endswith(f"but the results are about {sha256}")


def test_the_same_inputs_give_the_same_bytes_and_an_origin_without_a_date(folder: Path) -> None:
    read(folder)
    files = [folder / MADE, folder / f"{MADE}.origin.json"]
    before = [file.read_bytes() for file in files]
    read(folder)
    assert [file.read_bytes() for file in files] == before
    origin = json.loads(before[1])
    assert origin["sha256"] == hashlib.sha256(before[0]).hexdigest()
    assert (origin["images"], origin["split"], origin["spec"], origin["device"]) == (9, "test", "gate", "cpu")
    assert (origin["dtype"], origin["seed"], origin["model"], origin["data"]) == ("float32", 42, "factory", "csv")
    assert set(origin["versions"]) >= {"torch", "timm"}


def test_the_origin_names_the_weights_and_a_file_of_others_has_no_verdict(folder: Path) -> None:
    checkpoint(folder, "a.pth", 0.0)
    checkpoint(folder, "b.pth", 0.5)
    sha256 = hashlib.sha256((folder / "a.pth").read_bytes()).hexdigest()
    note = f"{MADE}: 9 images of the split test, predicted by retspec"
    for predictions in (MAKING, READING):
        notes = read(folder, predictions, model=", checkpoint: a.pth").notes
        assert any(each.startswith(note) and f"checkpoint a.pth ({sha256[:12]})" in each for each in notes)
    weights = json.loads((folder / f"{MADE}.origin.json").read_text())["weights"]
    assert weights == {"checkpoint": "a.pth", "checkpoint_sha256": sha256}
    made = f"{MADE} was predicted with the checkpoint a.pth ({sha256[:12]}), and the model of this spec has "
    for model, said in ((", checkpoint: b.pth", "the checkpoint b.pth ("), ("", "no checkpoint")):
        with pytest.raises(SubjectError) as raised:
            read(folder, READING, model=model)
        assert made + said in str(raised.value)
        assert raised.value.path == "predictions.csv"


@pytest.mark.parametrize(
    ("parts", "before", "after", "said"),
    [
        ({"model": ", kwargs: {scale: 2.0}"}, "", "", "`model.kwargs.scale` was not given, and is 2.0"),
        ({}, "std: [1, 1, 1]", "std: [2, 2, 2]", "`data.transform.std` was [1.0, 1.0, 1.0], and is [2.0, "),
        ({}, "{device: cpu}", "{device: cpu, seed: 1}", "`run.seed` was 42, and is 1"),
        ({"classes": "classes: [mild, none, severe]"}, "", "", "`data.classes` was not given, and is ["),
    ],
    ids=["kwargs", "transform", "seed", "classes"],
)
def test_a_file_of_another_setup_has_no_verdict(
    folder: Path, parts: dict[str, str], before: str, after: str, said: str
) -> None:
    read(folder)
    assert len(read(folder, READING).judged.ids) == 9
    path = spec_of(folder, READING, **parts)
    path.write_text(path.read_text().replace(before, after))
    with pytest.raises(SubjectError) as raised:
        subject_of(path).prediction_files.read()
    assert f"{MADE} is of another setup: {said}" in str(raised.value)


def test_a_file_of_other_images_has_no_verdict_and_its_origin_knows_their_content(folder: Path) -> None:
    read(folder)
    first = json.loads((folder / f"{MADE}.origin.json").read_text())["inputs_sha256"]
    Image.new("RGB", (12, 10), (1, 2, 3)).save(folder / "images" / "test_0.png")
    read(folder)
    assert json.loads((folder / f"{MADE}.origin.json").read_text())["inputs_sha256"] != first
    table = folder / "test.csv"
    table.write_text(table.read_text().replace("test-0", "test-9"))
    with pytest.raises(SubjectError, match="the data lists other images, labels or groups of the split test by now"):
        read(folder, READING)


def test_a_file_that_was_changed_has_no_verdict(folder: Path) -> None:
    read(folder)
    path = folder / MADE
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(SubjectError, match=r"was changed after retspec made it.* or remove that file if the change is"):
        read(folder, READING)
    changed = path.read_text()
    with pytest.raises(
        SubjectError, match=r"was changed after retspec made it, and is kept.*remove it to let"
    ) as raised:
        read(folder)
    assert (raised.value.path, path.read_text()) == ("predictions.make", changed)
    path.unlink()
    assert len(read(folder).judged.ids) == 9


def test_a_run_that_ends_between_an_origin_and_its_file_leaves_none_that_looks_changed(folder: Path) -> None:
    read(folder, model=", kwargs: {scale: 2.0}")
    before = (folder / MADE).read_bytes()
    first = (folder / f"{MADE}.origin.json").read_bytes()
    read(folder)
    second = json.loads((folder / f"{MADE}.origin.json").read_bytes())
    assert "replaces" not in second
    (folder / MADE).write_bytes(before)
    (folder / f"{MADE}.origin.json").write_text(json.dumps({**second, "replaces": json.loads(first)["sha256"]}))
    assert len(read(folder).judged.ids) == 9


def test_a_file_that_is_not_retspecs_is_never_replaced(folder: Path) -> None:
    path = folder / MADE
    path.parent.mkdir()
    path.write_text("a year of work")
    with pytest.raises(SubjectError, match=r"test\.csv is there, and retspec did not make it; name another file"):
        read(folder)
    assert path.read_text() == "a year of work"

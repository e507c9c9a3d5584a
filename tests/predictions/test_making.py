"""Predictions made by retspec: each image once, the pipeline of evaluation, a file that says where it is from."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

from retspec.errors import SpecError, SubjectError, UsageError
from retspec.measurements.completeness import completeness
from retspec.prepare import prepare
from retspec.records import Verdict
from retspec.review.recorded import verify
from retspec.running import run
from retspec.subjects.subject import Subject
from tests.predictions import judging
from tests.predictions.colours import Colours
from tests.proving.planting import hashes
from tests.run.tools import result_of

if TYPE_CHECKING:
    from retspec.facts import Predictions
    from retspec.records import Report

PLUGIN = judging.__file__
SHADES = ((200, 20, 20), (20, 200, 20), (20, 20, 200))
MADE = "made/test.csv"
SPEC = """\
retspec: 1
name: gate
model: {{factory: "tests.predictions.colours:colours"{model}}}
data:
  csv:
    train: train.csv
    test: test.csv
    images: images
    image_column: image
    label_column: grade
    group_column: patient
    subgroup_columns: [camera, sex]
  transform: {{input_size: [3, 8, 8], mean: [0, 0, 0], std: [1, 1, 1], crop_pct: 1}}
  batch_size: 4
  {classes}
train: {{steps: 1}}
run: {{device: cpu}}
predictions: {{{predictions}}}
checks: {{{checks}}}
"""
MAKING = f"make: {MADE}, split: test"
READING = f"csv: {MADE}, id: image, label: label, scores: [mild, none, severe], split: test"
CHECKS = "accuracy: 1"


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


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


def spec_of(folder: Path, predictions: str = MAKING, **parts: str) -> Path:
    path = folder / "gate.yaml"
    path.write_text(
        SPEC.format(predictions=predictions, **{"model": "", "classes": "", "checks": CHECKS, **parts}),
        encoding="utf-8",
    )
    return path


def read(folder: Path, predictions: str = MAKING, **parts: str) -> Predictions:
    """Read or make the predictions of a spec in this process."""
    return subject_of(spec_of(folder, predictions, **parts)).prediction_files.read()


def subject_of(spec: Path, fault: str = "") -> Subject:
    plan, catalog = prepare(
        spec, overrides=[f"run.fault={fault}"] if fault else (), plugins=[PLUGIN], entry_points=False
    )
    sources = {"model_sources": catalog.model_sources, "data_sources": catalog.data_sources}
    return Subject(plan.spec, **sources, weights=plan.needs_weights, fault=catalog.faults.get(fault))


def judged(folder: Path, predictions: str = MAKING, **parts: str) -> Report:
    return run(spec_of(folder, predictions, **parts), plugins=[PLUGIN], entry_points=False)


def test_each_image_is_predicted_once_as_an_evaluation_does(folder: Path) -> None:
    found = read(folder)
    table = found.judged
    assert table.ids == tuple(f"images/test_{number}.png" for number in range(9))
    assert table.labels.tolist() == [0, 1, 2] * 3
    assert found.classes == ("mild", "none", "severe")
    assert table.groups is not None
    assert table.groups.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4]
    assert table.subgroups == {"camera": ("B, old", "A") * 4 + ("B, old",), "sex": ("f",) * 9}
    means = torch.tensor(SHADES[0], dtype=torch.float32) / 255 * 8  # dropout is off
    assert table.scores[0].tolist() == pytest.approx(means.double().softmax(0).tolist(), abs=1e-6)


@pytest.mark.parametrize("fault", ["normalized_for_another", "images_lost"])
def test_a_fault_shows_in_what_is_predicted_and_in_no_file_of_yours(fault: str, folder: Path) -> None:
    healthy, written = read(folder), hashes(folder)
    subject = subject_of(spec_of(folder), fault)
    reader = subject.prediction_files
    faulty, elsewhere = reader.read(), reader.folder / reader.section.files["test"]
    assert not np.array_equal(faulty.judged.scores, healthy.judged.scores)
    assert faulty.judged.ids == healthy.judged.ids
    assert hashes(folder) == written
    assert elsewhere.is_file()
    subject.give_back()
    assert not elsewhere.exists()
    assert np.array_equal(read(folder).judged.scores, healthy.judged.scores)


def test_what_is_made_in_a_run_is_judged_again_without_the_model_or_torch(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model is built once, for the predictions and for a training."""
    counted = folder / "counted.txt"
    monkeypatch.setenv("COUNTED", str(counted))
    checkpoint(folder, "a.pth", 0.0)
    report = judged(folder, checks="accuracy: 1, first_loss: 9", model=", checkpoint: a.pth")
    assert [result.verdict for result in report.results] == [Verdict.MET, Verdict.MET]
    assert counted.read_text() == "built\n"
    made = result_of(report, "accuracy").observed
    written = (folder / MADE).read_text().splitlines()
    assert written[0] == "image,label,split,group,camera,sex,mild,none,severe"
    assert len(written) == 10
    again = result_of(judged(folder, READING, model=", checkpoint: a.pth"), "accuracy").observed
    assert made is not None
    assert again is not None
    assert (made.details["torch"], again.details["torch"]) == (True, False)
    assert {**again.details, "torch": True} == made.details


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


def test_several_splits_are_predicted_each_into_its_file(folder: Path) -> None:
    found = read(folder, "make: {train: made/train.csv, test: made/test.csv}, split: test")
    assert {name: len(table.ids) for name, table in found.tables.items()} == {"train": 3, "test": 9}
    assert len((folder / "made" / "train.csv").read_text().splitlines()) == 4


def test_the_model_is_left_as_it_was_and_predicted_once(folder: Path) -> None:
    subject = subject_of(spec_of(folder))
    subject.model.train()
    steps: list[tuple[int, int]] = []
    for _ in range(2):
        subject.prediction_files.read(lambda step, total: steps.append((step, total)))
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert subject.model.training
    assert subject.keeps_model(thorough=True)
    beside = subject.prediction_files.read_beside(MADE, path="checks")
    assert len(beside.ids) == 9


def checkpoint(folder: Path, name: str, bias: float) -> None:
    model = Colours()
    torch.nn.init.constant_(model.bias, bias)
    torch.save(model.state_dict(), folder / name)


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


@pytest.mark.parametrize(
    ("make", "report"),
    [("test.csv", None), (MADE, MADE), (MADE, f"{MADE}.origin.json")],
    ids=["a table that is read", "a report at its path", "a report at the path of its origin"],
)
def test_the_files_replace_nothing_that_is_read_or_written(folder: Path, make: str, report: str | None) -> None:
    before = (folder / "test.csv").read_text()
    path = spec_of(folder, f"make: {make}, split: test")
    reports = {"json": folder / report} if report else {}
    with pytest.raises(UsageError, match=r"would replace 'test.csv', which is read|are the same file|the same file"):
        run(path, plugins=[PLUGIN], entry_points=False, reports=reports)
    assert (folder / "test.csv").read_text() == before


def test_a_report_never_replaces_predictions_that_are_read(folder: Path) -> None:
    read(folder)
    with pytest.raises(UsageError, match="which is read"):
        run(spec_of(folder, READING), plugins=[PLUGIN], entry_points=False, reports={"json": folder / MADE})


@pytest.mark.parametrize(
    ("predictions", "problem"),
    [
        (f"make: {MADE}", "predictions does not say which split the model predicts; add `split:`, such as test"),
        (f"{MAKING}, id: image", "predictions.id names columns of a file, and retspec names those that it makes"),
        (f"{MAKING}, csv: a.csv", "predictions names two files, csv and make; keep one"),
        ("make: made/test.xlsx, split: test", "made/test.xlsx is no table by its name"),
        (
            "make: {val: a/t.csv, test: a/./t.csv}, split: test",
            "gate.yaml:18:42: predictions.make names a/./t.csv for val and for test; give each split its own file",
        ),
        (
            "make: {val: v.csv, test: t.txt}, split: test",
            "t.txt is no table by its name; let it end in .csv, .jsonl or",
        ),
        ("make: {val: v.csv}, split: test", "predictions.make has no file for the split 'test'; it has val"),
    ],
)
def test_a_mistake_is_reported_where_it_is(folder: Path, predictions: str, problem: str) -> None:
    with pytest.raises(SpecError) as raised:
        prepare(spec_of(folder, predictions), plugins=[PLUGIN], entry_points=False)
    assert problem in str(raised.value)


def test_making_needs_a_model_and_files(folder: Path) -> None:
    path = folder / "gate.yaml"
    path.write_text(f"retspec: 1\npredictions: {{{MAKING}}}\nchecks: {{{CHECKS}}}\n")
    with pytest.raises(SpecError) as raised:
        prepare(path, plugins=[PLUGIN], entry_points=False)
    assert "predictions.make lets the model predict, and the spec has no section `model`; add it" in str(raised.value)
    assert "predictions.make needs data that knows its files" in str(raised.value)


@pytest.mark.parametrize(
    ("predictions", "change", "reason"),
    [
        ("make: m.csv, split: val", ("", ""), "the data has no split 'val'; it has 'train', 'test'"),
        (f"{MAKING}, subgroups: [camara]", ("", ""), "no column of subgroups 'camara'; did you mean 'camera'?"),
        (MAKING, ("test-0", ""), "images have no group, and nobody knows which are of one patient"),
        (MAKING, ("severe", ""), "test.csv:4 has no label"),
        (MAKING, ("test_3.png", "lost.png"), "images/lost.png cannot be opened"),
    ],
)
def test_data_that_cannot_be_predicted_has_no_verdict(
    folder: Path, predictions: str, change: tuple[str, str], reason: str
) -> None:
    table = folder / "test.csv"
    table.write_text(table.read_text().replace(change[0] or "\0", change[1]))
    with pytest.raises(SubjectError) as raised:
        read(folder, predictions)
    assert reason in str(raised.value)
    assert not (folder / MADE).exists()


def test_labels_outside_the_outputs_have_no_verdict(folder: Path) -> None:
    table = folder / "test.csv"
    table.write_text(table.read_text().replace("severe", "worse"))
    with pytest.raises(SubjectError, match="has the label 3, and the model has 3 classes, numbered from 0"):
        read(folder)


def test_names_that_no_column_can_have_are_replaced(folder: Path) -> None:
    for split in ("train", "test"):
        table = folder / f"{split}.csv"
        words = {",none,": ",0,", ",mild,": ",1,", ",severe,": ",2,"}
        text = table.read_text()
        for word, number in words.items():
            text = text.replace(word, number)
        table.write_text(text)
    found = read(folder, classes="classes: [label, NA, severe]")
    assert found.classes == ("class_0", "class_1", "severe")
    assert found.judged.labels.tolist() == [1, 0, 2] * 3


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (
            "task: self_supervised",
            "predictions are made as classes whose probabilities add up to 1, .* says self_",
        ),
        ("loss: bce_with_logits", "predictions are made as classes whose probabilities add up to 1, .* says bce_"),
        ("task: multilabel", "this asks about classes, and several labels are predicted"),
        ("loss: mse", "this asks about classes, and the values of a regression are predicted"),
    ],
)
def test_what_are_no_classes_is_not_predicted_as_classes(folder: Path, train: str, message: str) -> None:
    path = spec_of(folder)
    path.write_text(path.read_text().replace("{steps: 1}", f"{{{train}}}"))
    with pytest.raises(SubjectError, match=message):
        subject_of(path).prediction_files.read()
    assert not (folder / MADE).exists()


def test_the_list_of_the_data_shows_what_a_file_leaves_out_repeats_or_invents(folder: Path) -> None:
    header = "image,label,none,mild,severe"
    rows = [f"images/test_{number}.png,{number % 3},0.2,0.2,0.6" for number in range(9)]
    strange = [*rows[:7], rows[0], rows[1].replace("test_1", "test_99")]
    for lines, expected in ((rows, 0), (strange, 4)):
        (folder / "own.csv").write_text("\n".join([header, *lines]))
        spec = spec_of(
            folder, "csv: {test: own.csv}, id: image, label: label, scores: [none, mild, severe], split: test"
        )
        reader = subject_of(spec).prediction_files
        found = completeness(reader.read(), reader)
        assert (found.value, found.few, found.details["listed"]) == (expected, "", 9)
    assert found.details["missing"] == ["images/test_7.png", "images/test_8.png"]
    assert found.details["twice"] == ["images/test_0.png"]
    assert found.details["unknown"] == ["images/test_99.png"]
    read(folder)
    reader = subject_of(spec_of(folder)).prediction_files
    assert completeness(reader.read(), reader).value == 0

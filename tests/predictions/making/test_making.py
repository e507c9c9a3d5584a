"""Predictions made by retspec: each image once, the pipeline of evaluation, in a file that is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from retspec.measurements.completeness import completeness
from retspec.records import Verdict
from tests.predictions.making.tools import (
    MADE,
    READING,
    SHADES,
    checkpoint,
    judged,
    read,
    spec_of,
    subject_of,
)
from tests.proving.planting import hashes
from tests.run.tools import result_of

if TYPE_CHECKING:
    from pathlib import Path


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

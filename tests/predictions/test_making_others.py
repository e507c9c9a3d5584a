"""Predictions that retspec makes of several labels and of values, from loaders of the user's own, in other formats."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
import torch
from PIL import Image

from retspec.errors import SpecError, SubjectError
from retspec.prepare import prepare
from retspec.subjects.predictions.making import PredictionMaker
from retspec.subjects.subject import Subject

if TYPE_CHECKING:
    from retspec.subjects.predictions.reading import PredictionReader

MODULE = "tests.predictions.own_loaders"
SPEC = """\
retspec: 1
model: {{factory: "{module}:mean", kwargs: {{outputs: {outputs}}}}}
data:
  {data}
train: {{{train}}}
run: {{device: cpu}}
predictions: {{make: {made}, split: {split}{more}}}
checks: {{max_mae: {{limit: 1, judge: bound}}}}
"""
FILES = """\
csv: {{test: test.csv, image_column: image, label_column: {columns}, group_column: patient, subgroup_columns: [camera]}}
  transform: {{input_size: [3, 8, 8], mean: [0, 0, 0], std: [1, 1, 1], crop_pct: 1}}
  batch_size: 2"""


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five grey images of three patients, with two labels and an age each."""
    rows = []
    for number in range(5):
        Image.new("RGB", (8, 8), (50 * number,) * 3).save(tmp_path / f"{number}.png")
        rows.append(
            (f"{number}.png", number % 2, int(number > 2), f"{60 + number / 2:g}", f"P{number // 2}", "AB"[number % 2])
        )
    with (tmp_path / "test.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("image", "dr", "amd", "age", "patient", "camera"), *rows])
    return tmp_path


def maker(folder: Path, data: str, outputs: int, made: str, **section: str) -> PredictionReader:
    """Return the maker of a spec; `section` has `train`, and may have `split` and `more` keys of the predictions."""
    path = folder / "gate.yaml"
    parts = {"train": "steps: 1", "split": "val", "more": "", **section}
    path.write_text(SPEC.format(module=MODULE, data=data, outputs=outputs, made=made, **parts))
    plan, catalog = prepare(path, entry_points=False)
    sources = {"model_sources": catalog.model_sources, "data_sources": catalog.data_sources}
    return Subject(plan.spec, **sources, weights=True).prediction_files


def own(name: str) -> str:
    return f'loaders: {{train: "{MODULE}:{name}", val: "{MODULE}:{name}"}}'


def test_several_labels_are_predicted_each_by_its_logistic_function(folder: Path) -> None:
    files = maker(
        folder,
        FILES.format(columns="[dr, amd]"),
        2,
        "made/test.jsonl",
        train="task: multilabel",
        split="test",
    )
    found = files.read_labels()
    assert (found.ids, found.names) == (tuple(f"{number}.png" for number in range(5)), ("dr", "amd"))
    assert found.truths.tolist() == [[0, 0], [1, 0], [0, 0], [1, 1], [0, 1]]
    shades = torch.tensor([50 * number for number in range(5)], dtype=torch.float32) / 255
    assert found.predicted[:, 1].tolist() == pytest.approx(shades.double().sigmoid().tolist(), abs=1e-6)
    assert (found.by_patient, found.units.tolist()) == (True, [0, 0, 1, 1, 2])
    rows = [json.loads(line) for line in (folder / "made/test.jsonl").read_text().splitlines()]
    assert [*rows[0]] == ["image", "dr", "amd", "split", "group", "camera", "p_dr", "p_amd"]
    assert found.predicted[3].tolist() == [rows[3]["p_dr"], rows[3]["p_amd"]]
    origin = json.loads((folder / "made/test.jsonl.origin.json").read_text())
    assert (origin["images"], origin["split"]) == (5, "test")
    assert any("predicted by retspec" in note for note in found.notes)


def test_values_are_predicted_as_the_model_gives_them(folder: Path) -> None:
    files = maker(folder, FILES.format(columns="age"), 1, "made/test.parquet", train="loss: mse", split="test")
    steps: list[tuple[int, int]] = []
    found = files.read_values(lambda step, total: steps.append((step, total)))
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert found.truths[:, 0].tolist() == [60, 60.5, 61, 61.5, 62]
    assert found.predicted[:, 0].tolist() == pytest.approx([50 * number / 255 for number in range(5)], abs=1e-6)
    frame = pl.read_parquet(folder / "made/test.parquet")
    assert frame.columns == ["image", "label", "split", "group", "camera", "value"]
    assert frame["value"].to_list() == found.predicted[:, 0].tolist()
    again = files.read_values(lambda step, total: steps.append((step, total)))
    assert (len(steps), again.predicted.tolist()) == (3, found.predicted.tolist())


@pytest.mark.parametrize(
    ("columns", "outputs", "train", "message"),
    [
        ("dr", 2, "task: multilabel", "predictions of several labels need 0 or 1 for each"),
        ("[dr, amd]", 3, "task: multilabel", "0.png has 2 labels, and the model has 3 outputs; each label needs one"),
        ("[dr, amd]", 2, "task: classification", "these labels are several; write `train: {task: multilabel}`"),
        ("camera", 1, "task: regression", "test.csv:2 has the label 'B', and a regression needs a number"),
        ("age", 2, "task: regression", "the model returns 2 numbers for each image, and predictions of a regression"),
    ],
)
def test_labels_of_another_kind_are_not_predicted(
    folder: Path, columns: str, outputs: int, train: str, message: str
) -> None:
    data = FILES.format(columns=columns)
    files = maker(folder, data.replace("[camera]", "[dr]"), outputs, "made.csv", train=train, split="test")
    read = {"multilabel": files.read_labels, "regression": files.read_values}.get(train.split()[1], files.read)
    with pytest.raises(SubjectError) as raised:
        read()
    assert message in str(raised.value).replace("A'", "B'")
    assert not (folder / "made.csv").exists()


def test_a_loader_gives_each_item_once_whatever_its_sampler_does(folder: Path) -> None:
    files = maker(folder, own("shuffled"), 3, "made.csv", more=", subgroups: [camera]")
    table = files.read().judged
    assert table.ids == tuple(f"eye_{number}" for number in range(7))
    assert table.labels.tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert table.groups is not None
    assert table.groups.tolist() == [0, 0, 1, 1, 2, 2, 3]
    assert table.subgroups == {"camera": ("B", "A") * 3 + ("B",)}


def test_a_loader_of_labels_and_one_of_values_are_predicted(folder: Path) -> None:
    read = maker(
        folder, own("labels") + "\n  classes: [dr, amd, any]", 3, "made.csv", train="task: multilabel"
    ).read_labels()
    assert (read.names, read.truths[3].tolist()) == (("dr", "amd", "any"), [1, 1, 1])
    (folder / "made.csv").unlink()
    values = maker(folder, own("values"), 1, "made.csv", train="task: regression").read_values()
    assert values.truths[:, 0].tolist() == [number + 0.25 for number in range(7)]
    assert values.predicted[:, 0].tolist() == pytest.approx([number / 10 for number in range(7)])


def test_the_files_that_a_dataset_lists_are_names_and_give_patients(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWN_IMAGES", str(folder))
    data = own("listed") + "\n  group: {pattern: '^[0-9]'}"
    table = maker(folder, data, 3, "made.csv").read().judged
    assert table.ids == tuple(f"{number}.png" for number in range(5))
    assert table.groups is not None
    assert table.groups.tolist() == [0, 1, 2, 3, 4]


def test_names_beside_a_pair_are_taken_where_there_is_no_dataset(folder: Path) -> None:
    table = maker(folder, own("triples"), 3, "made.csv").read().judged
    assert (table.ids, table.groups) == (("0a", "0b", "1a", "1b"), None)


@pytest.mark.parametrize(
    ("name", "split", "message"),
    [
        ("nameless", "val", "nobody knows which images the loader `val` gives, and each prediction needs the name"),
        ("alike", "val", "the loader `val`: 6 of 7 images have the name of another, 'eye' the first"),
        ("shuffled", "test", "no loader is of the split 'test'; there are 'train' and 'val': name the loader as"),
        ("values", "val", "the loader `val` gives targets of shape (4,), and predictions need a class number for each"),
    ],
)
def test_a_loader_whose_images_are_not_known_is_refused(folder: Path, name: str, split: str, message: str) -> None:
    files = maker(folder, own(name), 3, "made.csv", split=split)
    assert isinstance(files, PredictionMaker)
    with pytest.raises(SubjectError) as raised:
        files.read()
    assert message in str(raised.value)
    assert not (folder / "made.csv").exists()


def test_keys_that_only_predictions_of_loaders_need_are_refused_without_them(folder: Path) -> None:
    path = folder / "gate.yaml"
    path.write_text(f"retspec: 1\ndata:\n  {own('labels')}\n  classes: [a, b]\nchecks: {{loaders_share_samples: 0}}\n")
    with pytest.raises(SpecError, match=r"data\.classes says nothing beside loaders unless the model predicts them"):
        prepare(path, entry_points=False)

"""The page on your data: every spec on it, over tiny files in the layout that it is about."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from torchvision.transforms.functional import to_tensor

from retspec.checks.data.class_map_mismatch import class_map_mismatch
from retspec.checks.data.labels_out_of_range import labels_out_of_range
from retspec.measurements.labels import labels
from retspec.measurements.splits import splits
from retspec.plugin import Inconclusive
from retspec.plugins.catalog import gather
from retspec.records import Verdict
from retspec.spec.load import load
from retspec.spec.validate import validate
from retspec.subjects.data.images import take_images
from retspec.subjects.subject import Subject
from tests.here import run_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from retspec.facts import Dataset

PAGE = Path(__file__).parents[2] / "docs" / "your-data.md"
SAVED = Path(__file__).parents[1] / "cases" / "saved" / "fundus"
EXAMPLE = re.compile(r"^## ([^\n]+)\n(?:(?!^## ).)*?```yaml\n(.*?)```", re.MULTILINE | re.DOTALL)
SPECS = {found[1]: found[2] for found in EXAMPLE.finditer(PAGE.read_text())}


def images(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        Image.new("RGB", (4, 4), (number, 0, 0)).save(folder / name)


def lines(path: Path, *rows: str) -> None:
    path.write_text("".join(f"{row}\n" for row in rows))


def eyepacs(root: Path) -> dict[str, int]:
    names = [f"{patient}_{eye}" for patient in (10, 13) for eye in ("left", "right")]
    images(root / "train", [f"{name}.jpeg" for name in names])
    lines(root / "trainLabels.csv", "image,level", *(f"{name},{at}" for at, name in enumerate(names)))
    return {"train": 4}


def aptos(root: Path) -> dict[str, int]:
    images(root / "train_images", ["000c1434d8d7.png", "001639a390f0.png"])
    images(root / "test_images", ["0005cfc8afb6.png"])
    lines(root / "train.csv", "id_code,diagnosis", "000c1434d8d7,2", "001639a390f0,4")
    lines(root / "test.csv", "id_code", "0005cfc8afb6")
    return {"train": 2, "test": 1}


def messidor(root: Path) -> dict[str, int]:
    images(root / "IMAGES", ["a.png", "b.JPG"])
    lines(root / "messidor_data.csv", "image_id,adjudicated_dr_grade,adjudicated_dme", "a.png,0,0", "b.JPG,1.0,0")
    return {"train": 2}


def odir(root: Path) -> dict[str, int]:
    images(root / "Training Images", [f"{number}_{eye}.jpg" for number in (0, 1) for eye in ("left", "right")])
    head = "ID,Patient Age,Left-Fundus,Right-Fundus,N,D,G,C,A,H,M,O"
    lines(
        root / "full_df.csv",
        head,
        "0,69,0_left.jpg,0_right.jpg,0,0,0,1,0,0,0,0",
        "1,57,1_left.jpg,1_right.jpg,1,0,0,0,0,0,0,0",
    )
    return {"train": 2}


def rfmid(root: Path) -> dict[str, int]:
    for split, folder in (("Training", "Training"), ("Validation", "Validation")):
        images(root / folder, ["1.png", "2.png"])
        lines(root / f"RFMiD_{split}_Labels.csv", "ID,Disease_Risk,DR,ARMD,MH", "1,1,1,0,0", "2,1,0,1,1")
    return {"train": 2, "val": 2}


def retfound(root: Path) -> dict[str, int]:
    for split in ("train", "val"):
        for name in ("anodr", "bmilddr", "cmoderatedr", "dseveredr", "eproliferativedr"):
            images(root / "APTOS2019" / split / name, ["0.png"])
    return {"train": 5, "val": 5}


def folds(root: Path) -> dict[str, int]:
    images(root / "train_images", [f"{name}.{suffix}" for name, suffix in (("a", "png"), ("b", "jpg"), ("c", "jpeg"))])
    lines(root / "train_folds.csv", "id_code,diagnosis,fold", "a,0,0", "b,1,1", "c,0,2.0")
    return {"train": 2, "val": 1}


def split_column(root: Path) -> dict[str, int]:
    images(root / "images", ["a.png", "b.png", "c.png"])
    lines(root / "all.csv", "file,grade,patient,split", "a.png,0,1,Training", "b.png,0,2,valid", "c.png,0,3,test")
    return {"train": 1, "val": 1, "test": 1}


def tabs(root: Path) -> dict[str, int]:
    images(root / "images", ["a.png", "b, c.png"])
    lines(root / "train.tsv", "file\tgrade", "a.png\t0")
    lines(root / "val.jsonl", json.dumps({"file": "b, c.png", "grade": 0}))
    return {"train": 1, "val": 1}


def lists(root: Path) -> dict[str, int]:
    images(root / "images", ["a.png", "b c.png"])
    lines(root / "train.txt", "a.png 0")
    lines(root / "valid.txt", "b c.png 0")
    return {"train": 1, "val": 1}


def parquet(root: Path) -> dict[str, int]:
    polars = pytest.importorskip("polars", reason="the extra `tables` is not installed")
    images(root / "images", ["a.png"])
    polars.DataFrame({"file": ["a.png"], "grade": [0.0], "more": [None]}).write_parquet(root / "train.parquet")
    return {"train": 1}


def saved(root: Path) -> dict[str, int]:
    shutil.copytree(SAVED, root / "fundus")
    return {"train": 6, "val": 3}


def sharded(root: Path) -> dict[str, int]:
    images(root / "loose", [f"{number}.png" for number in range(6)])
    (root / "shards").mkdir()
    for name, numbers in (("train-000000", (0, 1)), ("train-000001", (2, 3)), ("val-000000", (4, 5))):
        with tarfile.open(root / "shards" / f"{name}.tar", "w") as archive:
            for number in numbers:
                (root / "label").write_text(str(number % 2))
                (root / "fields").write_text(json.dumps({"patient": f"P{number}"}))
                archive.add(root / "loose" / f"{number}.png", f"{number}.png")
                archive.add(root / "label", f"{number}.cls")
                archive.add(root / "fields", f"{number}.json")
    return {"train": 4, "val": 2}


LAYOUTS: dict[str, Callable[[Path], dict[str, int]]] = {
    "EyePACS": eyepacs,
    "APTOS": aptos,
    "Messidor-2": messidor,
    "ODIR: two images, eight labels": odir,
    "RFMiD: many labels": rfmid,
    "RETFound: folders of classes": retfound,
    "A Kaggle solution's folds": folds,
    "A column of splits": split_column,
    "Tables with tabs, and JSON lines": tabs,
    "Lists in text files": lists,
    "Parquet": parquet,
    "Hugging Face `datasets`": saved,
    "webdataset shards": sharded,
}


def dataset_of(spec: str, folder: Path) -> Dataset:
    (folder / "spec.yaml").write_text(spec)
    catalog = gather(entry_points=False)
    sources = {"model_sources": catalog.model_sources, "data_sources": catalog.data_sources}
    return Subject(validate(load(folder / "spec.yaml"), catalog), **sources, weights=False).dataset


def test_every_layout_of_the_page_is_tried() -> None:
    assert [*SPECS] == [*LAYOUTS]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_of_the_page_is_read_by_its_spec(layout: str, tmp_path: Path) -> None:
    counts = LAYOUTS[layout](tmp_path)
    dataset = dataset_of(SPECS[layout], tmp_path)
    assert {name: len(split.examples) for name, split in dataset.splits.items()} == counts
    assert splits.function(dataset).missing == ()
    labelled = [split for split in dataset.splits.values() if split.has_labels]
    assert labelled
    assert all(example.label is not None for split in labelled for example in split.examples)


@pytest.mark.parametrize("layout", ["Hugging Face `datasets`", "webdataset shards"])
def test_every_criterion_of_a_layout_with_stored_images_is_met(layout: str, tmp_path: Path) -> None:
    LAYOUTS[layout](tmp_path)
    (tmp_path / "spec.yaml").write_text(SPECS[layout])
    results = run_here(tmp_path / "spec.yaml")
    assert {name: result.verdict for name, result in results.items()} == dict.fromkeys(results, Verdict.MET)
    assert len(results) == 6


def test_the_eyes_of_a_patient_are_one_example_with_two_files_and_a_label_for_each_column(tmp_path: Path) -> None:
    odir(tmp_path)
    dataset = dataset_of(SPECS["ODIR: two images, eight labels"], tmp_path)
    first = dataset.first.examples[0]
    assert first.files == ("Training Images/0_left.jpg", "Training Images/0_right.jpg")
    assert (first.label, first.class_name) == ((0, 0, 0, 1, 0, 0, 0, 0), "C")
    assert dataset.inputs == ("left", "right")
    assert splits.function(dataset).counts["train"] == dict.fromkeys("DGAHMO", 0) | {"N": 1, "C": 1}
    (tmp_path / "Training Images/1_right.jpg").unlink()
    assert splits.function(dataset).missing == ("Training Images/1_right.jpg",)


def test_a_split_without_labels_has_files_and_no_classes(tmp_path: Path) -> None:
    aptos(tmp_path)
    found = splits.function(dataset_of(SPECS["APTOS"], tmp_path))
    assert (found.unlabelled, found.counts["test"], [*found.classes], found.files) == (("test",), {}, ["train"], 3)
    judged = labels.function(dataset_of(SPECS["APTOS"], tmp_path), None, task=None, num_classes=5)
    assert labels_out_of_range.function(judged).unseen == "test has no labels"
    with pytest.raises(Inconclusive, match="test has no labels"):
        class_map_mismatch.function(found)


def test_several_images_of_an_example_are_several_inputs_and_several_labels_are_numbers(tmp_path: Path) -> None:
    odir(tmp_path)
    dataset = dataset_of(SPECS["ODIR: two images, eight labels"], tmp_path)
    pair = take_images(dataset, to_tensor, 2, 0)
    inputs, targets = pair
    assert (inputs.shape, targets.shape, targets.is_floating_point()) == ((2, 2 * 3 * 4 * 4), (2, 8), True)
    assert pair.layout is not None
    parted = pair.layout.parted(inputs)
    assert isinstance(parted, dict)
    assert {name: part.shape for name, part in parted.items()} == dict.fromkeys(("left", "right"), (2, 3, 4, 4))

"""Sources that name files: what they list, and what they say of folders, tables and columns that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from torchvision.datasets import ImageFolder as Torchvision

from retspec.errors import SubjectError
from retspec.plugins.catalog import gather
from retspec.spec.load import load
from retspec.spec.validate import validate
from retspec.subjects.data.sources.csv_files import Tables, csv
from retspec.subjects.data.sources.imagefolder import Folders, ImageFolder, imagefolder
from retspec.subjects.subject import Subject
from tests.photos import healthy, table, write_folders, write_tables

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.facts import Dataset

PLUGIN = """
from pathlib import Path
from retspec.facts import Dataset, Example, Split
from retspec.plugin import Source, dataset_source, hookimpl

@dataset_source
def listed(names: list[str], folder: Path) -> Dataset:
    '''Files by their names.'''
    examples = tuple(Example(name, label, name) for label, name in enumerate(names))
    return Dataset(str(folder), {"train": Split(examples, {name: label for label, name in enumerate(names)})})

@hookimpl
def retspec_data_sources() -> list[Source]:
    return [listed]
"""


def rows(dataset: Dataset, split: str) -> list[tuple[str, int | None, str, str | None]]:
    return [(each.file, each.label, each.class_name, each.group) for each in dataset.splits[split].examples]


def aptos(folder: Path, **options: object) -> Dataset:
    settings = {"train": "train.csv", "images": "images", "image_column": "id_code", "label_column": "diagnosis"}
    return csv(Tables(**{**settings, "extension": ".png", **options}), folder)  # type: ignore[arg-type]


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    write_tables(tmp_path)
    return tmp_path


# Folders ------------------------------------------------------------------------------------------


def test_a_folder_is_listed_as_torchvision_lists_it(tmp_path: Path) -> None:
    write_folders(tmp_path, {"train": {"b": 2, "a": 11, "B": 1, "10": 1, "2": 1}})
    (tmp_path / "train/a/deeper").mkdir()
    (tmp_path / "train/a/1.jpg").rename(tmp_path / "train/a/deeper/1.JPG")
    (tmp_path / "train/a/Thumbs.db").touch()
    dataset = imagefolder(ImageFolder(root="."), tmp_path)
    theirs = Torchvision(tmp_path / "train")
    ours = [(str(dataset.path(each)), each.label) for each in dataset.first.examples]
    assert ours == theirs.samples
    assert dataset.first.classes == theirs.class_to_idx
    assert dataset.notes == ("train: 1 files are not images by their names: train/a/Thumbs.db.",)


def test_by_default_the_splits_are_those_that_are_there(tmp_path: Path) -> None:
    dataset = imagefolder(ImageFolder(root="photos"), healthy(tmp_path / "photos").parent)
    assert list(dataset.splits) == ["train", "val"]


def test_splits_may_have_other_folders(tmp_path: Path) -> None:
    write_folders(tmp_path, {"training": {"a": 1}, "validation": {"a": 2}})
    dataset = imagefolder(ImageFolder(root=".", splits=Folders(train="training", test="validation")), tmp_path)
    assert {name: len(split.examples) for name, split in dataset.splits.items()} == {"train": 1, "test": 2}


@pytest.mark.parametrize(
    ("options", "path", "says"),
    [
        (ImageFolder(root="fotos"), "data.imagefolder.root", "there is no folder 'fotos'"),
        (ImageFolder(root="photos/train"), "data.imagefolder.root", "no folder train, val or test; name yours"),
        (
            ImageFolder(root="photos", splits=Folders(train="trian")),
            "data.imagefolder.splits.train",
            "did you mean 'train'?; there are train, val",
        ),
    ],
)
def test_a_folder_that_is_not_there_is_told_with_what_is(
    options: ImageFolder, path: str, says: str, tmp_path: Path
) -> None:
    healthy(tmp_path / "photos")
    with pytest.raises(SubjectError) as refusal:
        imagefolder(options, tmp_path)
    assert (refusal.value.path, says in str(refusal.value)) == (path, True), refusal.value


# Tables -------------------------------------------------------------------------------------------


def test_a_table_is_read_row_by_row(tables: Path) -> None:
    dataset = aptos(tables, test="test.csv", group_column="patient")
    assert rows(dataset, "train")[:2] == [
        ("images/eye0.png", 0, "0", "patient0"),
        ("images/eye1.png", 1, "1", "patient0"),
    ]
    assert len(rows(dataset, "test")) == 4
    assert dataset.path(dataset.first.examples[0]).is_file()
    assert dataset.notes == ()


def test_idrid_is_read_as_it_is_published(tables: Path) -> None:
    """Grades as floats, a row of commas at the end, and a blank after a column's name."""
    dataset = aptos(
        tables, train="idrid.csv", image_column="Image name", label_column="risk of macular  edema", test=None
    )
    assert len(rows(dataset, "train")) == 12
    assert {label for _, label, _, _ in rows(dataset, "train")} == {0}
    assert dataset.notes == ("idrid.csv: the column 'risk of macular  edema' is spelt 'Risk of macular edema ' there.",)
    graded = aptos(tables, train="idrid.csv", image_column="Image name", label_column="Retinopathy grade")
    assert graded.first.classes == {"0": 0, "1": 1, "2": 2}


def test_an_exact_column_goes_before_one_that_is_spelt_alike(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", "id_code,Diagnosis,diagnosis", ["a,1,0"])
    assert rows(aptos(tmp_path), "train") == [("images/a.png", 0, "0", None)]
    with pytest.raises(SubjectError, match="2 columns called 'DIAGNOSIS'"):
        aptos(tmp_path, label_column="DIAGNOSIS")


def test_words_are_numbered_over_all_splits_and_integers_never(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", "id_code,diagnosis", ["a,severe", "b,mild"])
    table(tmp_path / "val.csv", "id_code,diagnosis", ["c,none", "d,severe", "e,"])
    dataset = aptos(tmp_path, val="val.csv")
    assert [label for _, label, _, _ in (*rows(dataset, "train"), *rows(dataset, "val"))] == [2, 0, 1, 2, None]
    assert dataset.splits["val"].classes == {"none": 1, "severe": 2}
    table(tmp_path / "val.csv", "id_code,diagnosis", ["c,3", "d,1.0", "e,unknown", "f,2.5"])
    assert [label for _, label, _, _ in rows(aptos(tmp_path, val="val.csv"), "val")] == [3, 1, None, None]


def test_each_split_may_have_its_own_folder_of_images(tables: Path) -> None:
    dataset = aptos(tables, test="test.csv", images={"train": "a", "test": "b/"}, extension=None)
    assert [split.examples[0].file for split in dataset.splits.values()] == ["a/eye0", "b/eye8"]
    with pytest.raises(SubjectError, match="names no folder for test"):
        aptos(tables, test="test.csv", images={"train": "a"})


@pytest.mark.parametrize(
    ("options", "path", "says"),
    [
        ({"train": None}, "data.csv", "give train, val or test"),
        ({"train": "trian.csv"}, "data.csv.train", "there is no file 'trian.csv'"),
        ({"train": "blank.csv"}, "data.csv.train", "blank.csv is empty"),
        ({"train": "images/eye0.png"}, "data.csv.train", "cannot be read as a table"),
        ({"group_column": "patients"}, "data.csv.group_column", "did you mean 'patient'?"),
    ],
)
def test_a_table_that_does_not_fit_is_told_with_its_place(
    options: dict[str, object], path: str, says: str, tables: Path
) -> None:
    (tables / "blank.csv").write_text("\n,,\n")
    with pytest.raises(SubjectError) as refusal:
        aptos(tables, **options)
    assert (refusal.value.path, says in str(refusal.value)) == (path, True), refusal.value


# The core's part ----------------------------------------------------------------------------------


def subject(folder: Path, data: str, *, plugins: str = "[]") -> Subject:
    spec = folder / "spec.yaml"
    spec.write_text(f"retspec: 1\nplugins: {plugins}\ndata: {data}\nchecks: {{missing_files: 0}}\n")
    catalog = gather([str(folder / "listed.py")] if plugins != "[]" else [], entry_points=False)
    return Subject(
        validate(load(spec), catalog),
        model_sources=catalog.model_sources,
        data_sources=catalog.data_sources,
        weights=False,
    )


def test_a_plugins_source_of_files_gets_batches_transforms_and_a_batch_size_for_free(tmp_path: Path) -> None:
    write_folders(tmp_path, {".": {"x": 3}})
    (tmp_path / "listed.py").write_text(PLUGIN)
    data = '{listed: [x/0.jpg, x/1.jpg, x/2.jpg], batch_size: 2, transform: "tests.photos:imagenet"}'
    made = subject(tmp_path, data, plugins="[listed.py]")
    assert (made.batch.inputs.shape, len(made.batch.targets)) == ((2, 3, 16, 16), 2)
    assert len(made.take_batch(10).inputs) == 3, "all that there are"
    assert made.recipe.batch_size == 2


def test_an_empty_dataset_is_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "photos/train/none").mkdir(parents=True)
    with pytest.raises(SubjectError, match="the split 'train' lists no image"):
        _ = subject(tmp_path, "{imagefolder: {root: photos}}").dataset


def test_batches_without_files_are_no_dataset(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text("retspec: 1\nmodel: {timm: test_vit}\nchecks: {loss_drop: 0.5}\n")
    catalog = gather(entry_points=False)
    sources = {"model_sources": catalog.model_sources, "data_sources": catalog.data_sources}
    with pytest.raises(SubjectError, match="knows its files, and `synthetic` gives batches alone"):
        _ = Subject(validate(load(spec), catalog), **sources, weights=False).dataset

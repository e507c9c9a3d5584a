"""Sources that name files: what they list, and what they say of folders, tables and columns that are not there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torchvision.datasets import ImageFolder as Torchvision

from retspec.checks.data.labels_out_of_range import labels_out_of_range
from retspec.errors import SubjectError
from retspec.facts import Dataset, Example, EyePair, Eyes, Split
from retspec.measurements.labels import labels
from retspec.plugins.catalog import gather
from retspec.spec.load import load
from retspec.spec.validate import validate
from retspec.subjects.data.folders import Folders as Disk
from retspec.subjects.data.names import _WAYS, _bare, _simplified, near_names
from retspec.subjects.data.sources.csv_files import Tables, csv
from retspec.subjects.data.sources.imagefolder import Folders, ImageFolder, imagefolder
from retspec.subjects.subject import Subject
from tests.photos import draw, healthy, table, write_folders, write_tables

if TYPE_CHECKING:
    from pathlib import Path

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
    (note,) = dataset.notes
    assert note.startswith(
        "train: 1 of 17 files are not images by their names (1 .db), and are left out: train/a/Thumbs"
    )


def test_by_default_the_splits_are_those_that_are_there(tmp_path: Path) -> None:
    dataset = imagefolder(ImageFolder(root="photos"), healthy(tmp_path / "photos").parent)
    assert list(dataset.splits) == ["train", "val"]


def test_splits_may_have_other_folders(tmp_path: Path) -> None:
    write_folders(tmp_path, {"training": {"a": 1}, "validation": {"a": 2}})
    dataset = imagefolder(ImageFolder(root=".", splits=Folders(train="training", test="validation")), tmp_path)
    assert {name: len(split.examples) for name, split in dataset.splits.items()} == {"train": 1, "test": 2}


def test_a_split_may_be_the_root_itself(tmp_path: Path) -> None:
    write_folders(tmp_path, {"": {"a": 1, "b": 2}})
    dataset = imagefolder(ImageFolder(root=".", splits=Folders(train=".")), tmp_path)
    assert (len(dataset.first.examples), [*dataset.first.classes], dataset.notes) == (3, ["a", "b"], ())


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


def notes(folder: Path) -> str:
    return "\n".join(imagefolder(ImageFolder(root="."), folder).notes)


def test_a_folder_beside_the_splits_is_pointed_out_or_read_as_the_split_that_it_is(tmp_path: Path) -> None:
    write_folders(tmp_path, {"train": {"a": 1}, "valid": {"a": 2}, "train_old": {"a": 1}})
    dataset = imagefolder(ImageFolder(root="."), tmp_path)
    assert list(dataset.splits) == ["train", "val"]
    assert "'valid' is read as the split val" in notes(tmp_path)
    assert "no split reads the folder 'train_old' beside train, valid" in notes(tmp_path)
    write_folders(tmp_path, {"val": {"a": 1}})
    assert "no split reads the folder 'train_old', 'valid' beside train, val" in notes(tmp_path)


def test_a_hidden_folder_and_an_empty_one_are_classes_as_in_torchvision_and_are_pointed_out(tmp_path: Path) -> None:
    write_folders(tmp_path, {"train": {"a": 1, "b": 0, ".ipynb_checkpoints": 1}})
    dataset = imagefolder(ImageFolder(root="."), tmp_path)
    assert dataset.first.classes == {".ipynb_checkpoints": 0, "a": 1, "b": 2}
    assert "a hidden folder counts as a class, as in torchvision: '.ipynb_checkpoints' is class 0" in notes(tmp_path)
    assert "no image is in the class folder 'b'" in notes(tmp_path)


def test_what_lies_beside_the_folders_and_is_read_by_nobody_is_pointed_out(tmp_path: Path) -> None:
    write_folders(tmp_path, {"train": {"0": 1, "1": 1}})
    draw(tmp_path / "loose.png", 1)
    draw(tmp_path / "train/loose.png", 1)
    draw(tmp_path / "train/0/.thumbs/x.png", 1)
    (tmp_path / "train.zip").write_bytes(b"PK")
    (tmp_path / "train/labels.csv").write_text("file,label\n")
    (tmp_path / "train/2").symlink_to("nowhere")
    notes = imagefolder(ImageFolder(root="."), tmp_path).notes
    assert "1 images are beside the splits, and are left out: loose.png." in notes
    assert "train.zip: an archive, which is not looked into." in notes
    assert "train: 1 images are in no class folder, and are left out: train/loose.png." in notes
    assert "train: train/2: a link that leads nowhere, and is left out." in notes
    hidden = "train: 1 image is hidden, or in a hidden folder, and counted, as in torchvision: train/0/.thumbs/x.png"
    assert any(note.startswith(hidden) for note in notes)
    assert len(notes) == 5


def test_folders_of_splits_are_found_in_any_case(tmp_path: Path) -> None:
    write_folders(tmp_path, {"Train": {"0": 1}, "TEST": {"0": 1}, "val": {"0": 1}, "Val": {"0": 1}})
    dataset = imagefolder(ImageFolder(root="."), tmp_path)
    assert {name: split.examples[0].file.split("/")[0] for name, split in dataset.splits.items()} == {
        "train": "Train",
        "val": "val",
        "test": "TEST",
    }
    assert "the folder 'Train' is read as the split train." in dataset.notes
    assert any("no split reads the folder 'Val'" in note for note in dataset.notes)


def test_links_in_a_circle_come_to_an_end_and_links_elsewhere_are_followed(tmp_path: Path) -> None:
    write_folders(tmp_path, {"train": {"a": 2, "b": 1}, "elsewhere": {"c": 3}})
    for name in ("again", "more"):
        (tmp_path / "train/a" / name).symlink_to("..")
    (tmp_path / "train/b/there").symlink_to(tmp_path / "elsewhere/c")
    dataset = imagefolder(ImageFolder(root="."), tmp_path)
    assert [each.class_name for each in dataset.first.examples] == ["a", "a", "b", "b", "b", "b"]
    assert "train/a/again, train/a/more: a link to a folder above it" in notes(tmp_path)


def test_a_folder_of_another_format_is_not_without_files(tmp_path: Path) -> None:
    for index in range(3):
        write_folders(tmp_path, {"train": {f"{index}": 0}})
        (tmp_path / f"train/{index}/scan.dcm").touch()
    with pytest.raises(SubjectError, match=r"lists no image in .*; train: 3 of 3 files are not images .* \(3 \.dcm\)"):
        _ = subject(tmp_path, "{imagefolder: {root: .}}").dataset


# Groups and classes ---------------------------------------------------------------------------------


def test_a_group_is_the_same_however_it_is_written(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", "id_code,diagnosis,patient", ["a,0,11", "b,1,007", "c,0,P 1", "d,1,nan"])
    table(
        tmp_path / "val.csv",
        "id_code,diagnosis,patient",
        ["e,0,11.0", "f,1,7.0", "g,0, p 01", "h,1,12345678901234567890"],
    )
    dataset = aptos(tmp_path, val="val.csv", group_column="patient")
    assert [group for _, _, _, group in rows(dataset, "train")] == ["11", "7", "p 1", None]
    assert [group for _, _, _, group in rows(dataset, "val")] == ["11", "7", "p 1", "12345678901234567890"]


def test_every_source_of_files_takes_a_pattern_for_the_group(tmp_path: Path) -> None:
    for name in ("7_left", "7_right", "8_left", "stray"):
        draw(tmp_path / f"train/3/{name}.png", 1)
    dataset = subject(tmp_path, r"{imagefolder: {root: .}, group: {pattern: '(\d+)_(left|right)'}}").dataset
    assert [each.group for each in dataset.first.examples] == ["7", "7", "8", None]
    assert "1 of 4 files do not match `group`, as train/3/stray.png." in dataset.notes
    by_folder = subject(tmp_path, r"{imagefolder: {root: .}, group: {pattern: 'train/(\d)/'}}").dataset
    assert {each.group for each in by_folder.first.examples} == {"3"}
    for pattern, says in (("patient", "matches none of 4 files"), ("(", "is no regular expression")):
        with pytest.raises(SubjectError, match=says):
            _ = subject(tmp_path, f"{{imagefolder: {{root: .}}, group: {{pattern: '{pattern}'}}}}").dataset


@pytest.mark.parametrize(
    ("one", "other", "pattern"),
    [
        ("10_left", "10_right", "(.+)_(left|right)"),
        ("IDRiD_07_OD", "IDRiD_07_OS", "(.+)_(OD|OS)"),
        ("L_7", "R_7", "^(?:L|R)_(.+)"),
        ("p1-left-2", "p1-right-2", "(.+)\\-(left|right)"),
        ("RET002OD", "RET002OS", "(.*\\d)(OD|OS)"),
        ("12_RE", "12_LE", "(.+)_(LE|RE)"),
        ("12_lefteye", "12_righteye", "(.+)_(left|right)"),
    ],
)
def test_files_that_are_named_like_two_eyes_are_pointed_out(one: str, other: str, pattern: str, tmp_path: Path) -> None:
    for name in (one, other, "leftover", "7_lower"):
        draw(tmp_path / f"train/a/{name}.png", 1)
    (note,) = subject(tmp_path, "{imagefolder: {root: .}}").dataset.notes
    assert f"say `group: {{pattern: '{pattern}'}}` under `data`" in note
    assert re.search(pattern, one)[1] == re.search(pattern, other)[1]  # type: ignore[index]


def test_files_that_are_named_by_an_eye_alone_go_by_their_folders(tmp_path: Path) -> None:
    for file in ("train/a/P1/left.png", "train/a/P2/right.png", "val/a/P1/right.png"):
        draw(tmp_path / file, 1)
    dataset = subject(tmp_path, "{imagefolder: {root: .}}").dataset
    assert dataset.eyes == Eyes(
        1, 1, EyePair("train/a/P1/left.png", "val/a/P1/right.png", ("train", "val"), "([^/]+)/(left|right)")
    )
    grouped = subject(tmp_path, r"{imagefolder: {root: .}, group: {pattern: '([^/]+)/(left|right)'}}").dataset
    assert grouped.eyes is None
    assert [example.group for example in grouped.examples] == ["p1", "p2", "p1"]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("0", "1", "2", "10"), "numbered in the text order of their names: '10' is 2, '2' is 3"),
        (("Mild", "Moderate", "No DR", "Severe"), "`classes: [No DR, Mild, Moderate, Severe]`"),
        (("Mild", "Moderate", "No_DR", "Proliferate_DR"), "`classes: [No_DR, Mild, Moderate, Proliferate_DR]`"),
        (("Mild", "Moderate", "None", "Other"), "`classes: [None, Mild, Moderate, Other]`"),
        (("mild_npdr", "moderate_npdr", "normal", "pdr"), "`classes: [normal, mild_npdr, moderate_npdr, pdr]`"),
        (("1", "2", "3"), "which begin at 1: '1' is 0, '2' is 1, '3' is 2"),
        (("Mild", "mild", "severe"), "differ in case or blanks alone, and have numbers of their own: 'Mild', 'mild'"),
        (("0", "1", "2"), ""),
        (("cat", "dog", "mild"), ""),
    ],
)
def test_numbers_of_classes_that_no_one_meant_are_pointed_out(
    names: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    write_folders(tmp_path, {"train": dict.fromkeys(names, 1)})
    found = " ".join(subject(tmp_path, "{imagefolder: {root: .}}").dataset.notes)
    assert says in found
    assert bool(says) == bool(found)


def test_labels_that_leave_out_a_class_are_pointed_out(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", "id_code,diagnosis", ["a,1", "b,2", "c,4"])
    data = "{csv: {train: train.csv, image_column: id_code, label_column: diagnosis}}"
    (note,) = subject(tmp_path, data).dataset.notes
    assert note == "no image has the label of class 0, class 3: the labels are 1, 2, 4."


def test_classes_that_a_spec_gives_have_its_numbers_in_every_split(tmp_path: Path) -> None:
    write_folders(tmp_path, {"train": {"Mild": 1, "None": 1, "what": 1}, "val": {"Mild": 1}})
    dataset = subject(tmp_path, "{imagefolder: {root: .}, classes: [None, Mild, Severe]}").dataset
    assert [each.label for each in dataset.first.examples] == [1, 0, None]
    assert dataset.splits["val"].classes == {"None": 0, "Mild": 1, "Severe": 2}
    assert "no split has an image of 'Severe', which `classes` names." in dataset.notes
    assert "'what' is a label that `classes` does not name; see `labels_out_of_range`." in dataset.notes
    table(tmp_path / "train.csv", "id_code,diagnosis", ["a,0", "b,1.0", "c,5"])
    data = "{csv: {train: train.csv, image_column: id_code, label_column: diagnosis}, classes: [None, Mild]}"
    numbered = subject(tmp_path, data).dataset
    assert [(each.label, each.class_name) for each in numbered.first.examples] == [(0, "None"), (1, "Mild"), (5, "5")]
    with pytest.raises(SubjectError, match="'Mild' is named twice"):
        _ = subject(tmp_path, "{imagefolder: {root: .}, classes: [Mild, Mild]}").dataset


@pytest.mark.parametrize(
    ("classes", "numbered"),
    [
        ("{No DR: 0, Mild: 1, Severe: 2}", [(0, "No DR"), (2, "Severe"), (1, "Mild"), (None, "what")]),
        ("{0: No DR, 1: Mild, 2: Severe}", [(0, "No DR"), (2, "Severe"), (1, "Mild"), (None, "what")]),
        (
            "{no dr: 0, Mild: 1, Severe: 1}",
            [(0, "no dr"), (1, "Mild or Severe"), (1, "Mild or Severe"), (None, "what")],
        ),
    ],
)
def test_a_mapping_gives_labels_their_numbers(classes: str, numbered: list[object], tmp_path: Path) -> None:
    table(tmp_path / "train.csv", "id_code,diagnosis", ["a,No DR", "b,Severe", "c,Mild", "d,what"])
    data = f"{{csv: {{train: train.csv, image_column: id_code, label_column: diagnosis}}, classes: {classes}}}"
    dataset = subject(tmp_path, data).dataset
    assert [(each.label, each.class_name) for each in dataset.first.examples] == numbered
    assert [*dataset.first.classes.values()] == [*range(len(dataset.first.classes))]


def test_a_mapping_moves_labels_that_are_numbers_themselves(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", "id_code,diagnosis", ["a,1", "b,2.0", "c,03", "d,4"])
    data = "{csv: {train: train.csv, image_column: id_code, label_column: diagnosis}, classes: {1: 0, 2: 1, 3: 1}}"
    dataset = subject(tmp_path, data).dataset
    assert [each.label for each in dataset.first.examples] == [0, 1, 1, None]


@pytest.mark.parametrize(
    ("classes", "says"),
    [
        ("{0: A, 2: B}", "the numbers of 2 classes are 0 to 1, and these are 0, 2"),
        ("{a: 0, b: x}", "'x' is no number, as those of the other labels are"),
    ],
)
def test_a_mapping_that_is_neither_of_labels_nor_of_numbers_is_refused(classes: str, says: str, tmp_path: Path) -> None:
    write_folders(tmp_path, {"train": {"a": 1, "b": 1}})
    with pytest.raises(SubjectError, match=says):
        _ = subject(tmp_path, f"{{imagefolder: {{root: .}}, classes: {classes}}}").dataset


def test_labels_that_are_no_class_are_counted_with_the_first_ones_line(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", "id_code,diagnosis", ["a,0", "", "b,", "c,x", "d,1"])
    dataset = subject(tmp_path, "{csv: {train: train.csv, image_column: id_code, label_column: diagnosis}}").dataset
    assert dataset.notes[-1].startswith(
        "train: 2 of 4 examples have a label that is no class, a blank at train.csv:4 the first"
    )
    outside = labels(dataset, None, task=None, num_classes=2).outside
    assert [(each.label, each.place) for each in outside] == [("no label", "train.csv:4"), ("x", "train.csv:5")]
    observed = labels_out_of_range(labels(dataset, None, task=None, num_classes=2))
    assert observed.details["files"] == ["b: no label (train.csv:4)", "c: x (train.csv:5)"]


def test_a_class_that_pandas_reads_as_missing_is_pointed_out(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", "id_code,diagnosis", ["a,None", "b,mild", "c,nan"])
    dataset = subject(tmp_path, "{csv: {train: train.csv, image_column: id_code, label_column: diagnosis}}").dataset
    assert "train.csv: 'None', 'nan' is a class here, and a missing value to pandas." in dataset.notes


# Names ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "there", "differs"),
    [
        ("img/M\u00fc.png", "img/Mu\u0308.png", "the Unicode form (NFC in the list, NFD on the disk)"),
        ("img/a.PNG", "img/a.png", "upper and lower case"),
        ("img\\a.png", "img/a.png", "backslashes"),
        ("img/a.jpg", "img/a.png", "the suffix"),
        ("img/a.png.png", "img/a.png", "the suffix"),
        ("img/7.png", "img/0007.png", "leading zeros"),
        ("a.png", "img/a.png", "the folder"),
        ("D:\\aptos\\a.png", "img/a.png", "a drive of Windows"),
        ("img/A 1.JPG", "img/a1.png", "upper and lower case, blanks, the suffix"),
    ],
)
def test_a_missing_file_is_named_with_the_one_that_is_nearly_called_so(
    listed: str, there: str, differs: str, tmp_path: Path
) -> None:
    draw(tmp_path / there, 1)
    dataset = Dataset(str(tmp_path), {"train": Split((Example(listed, 0, "0"),), {"0": 0})}, folders=("img",))
    assert near_names(dataset, [listed]) == {listed: f"{normalize('NFC', there)} is there, and differs in {differs}"}
    assert near_names(dataset, ["img/other.png"]) == {}


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
    with pytest.raises(SubjectError, match=r"2 columns called 'DIAGNOSIS' \('Diagnosis', 'diagnosis'\)"):
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


@pytest.mark.parametrize(
    "names",
    [
        ["a/10_left.jpeg", "010_LEFT.jpg", "x\\y\\0.png", "img.v2.png.JPG", "a.b", "no_suffix", "7"],
        ["é.png", "a b.png", "..png", ".hidden", "a..jpg", "00", "x.tar.gz", "A.JPEG.png"],
        ["two\nlines.png", "plain.png"],
        [],
    ],
)
def test_names_are_simplified_at_once_as_one_by_one(names: list[str]) -> None:
    bare = [_simplified(name.replace("\\", "/").rpartition("/")[2], _WAYS) for name in names]
    assert _bare(names) == bare


@given(st.lists(st.text("aB0.1_ /\\\né", max_size=12), max_size=6))
def test_any_names_are_simplified_at_once_as_one_by_one(names: list[str]) -> None:
    bare = [_simplified(name.replace("\\", "/").rpartition("/")[2], _WAYS) for name in names]
    assert _bare(names) == bare


def test_paths_without_a_file_are_the_same_by_themselves_and_all_at_once(tmp_path: Path) -> None:
    draw(tmp_path / "a/1.png", 1)
    (tmp_path / "a/folder.png").mkdir()
    (tmp_path / "a/link.png").symlink_to("1.png")
    (tmp_path / "a/broken.png").symlink_to("2.png")
    there = ["a/1.png", "a/link.png", str(tmp_path / "a/1.png"), "a//1.png", "./a/1.png", "a/../a/1.png"]
    gone = ["a/2.png", "a/folder.png", "a/broken.png", "1.png", "b/1.png", "/1.png", "", "a/", "a/\0.png"]
    disk = Disk(tmp_path)
    assert disk.absent([*there, *gone]) == gone
    assert [*map(disk.has, [*there, *gone])] == [True] * len(there) + [False] * len(gone)
    assert disk.files_alone("a") == []
    (tmp_path / "a/folder.png").rmdir()
    assert sorted(Disk(tmp_path).files_alone("./a")) == ["a/1.png", "a/broken.png", "a/link.png"]

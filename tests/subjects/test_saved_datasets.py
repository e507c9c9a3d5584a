"""Datasets of Hugging Face on the disk: what `datasets` 5.2 wrote, read without it."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from retspec.errors import SubjectError
from retspec.facts import Stored
from retspec.measurements.images import images
from retspec.measurements.splits import splits
from retspec.regular_files import open_content, read_content
from retspec.subjects.data.arrow.stream import read_batches
from retspec.subjects.data.images import open_image, take_images
from retspec.subjects.data.sources.datasets_data import Saved, SavedSplits, datasets

if TYPE_CHECKING:
    from collections.abc import Callable

    from retspec.facts import Dataset
    from retspec.subjects.data.arrow.stream import Batch

FUNDUS = Path(__file__).parents[1] / "cases" / "saved" / "fundus"
INFO, STATE = "dataset_info.json", "state.json"
IMAGE, GRADE = {"_type": "Image"}, {"_type": "ClassLabel", "names": ["a", "b"]}


@pytest.fixture
def fundus(tmp_path: Path) -> Path:
    return shutil.copytree(FUNDUS, tmp_path / "fundus")


def read(folder: Path, **options: Any) -> Dataset:
    return datasets(Saved(root=folder.name, **options), folder.parent)


def change(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def save(folder: Path, columns: dict[str, list[Any]], features: dict[str, Any]) -> None:
    """Write what `save_to_disk` would, with polars."""
    polars = pytest.importorskip("polars", reason="the extra `tables` is not installed")
    folder.mkdir(exist_ok=True)
    (folder / INFO).write_text(json.dumps({"features": features}))
    (folder / STATE).write_text(json.dumps({"_data_files": [{"filename": "data.arrow"}]}))
    schema = {"image": polars.Struct({"bytes": polars.Binary, "path": polars.String})}
    frame = polars.DataFrame(columns, schema_overrides=schema)
    frame.write_ipc_stream(folder / "data.arrow", compat_level=polars.CompatLevel.oldest())


def refusal(folder: Path, **options: Any) -> tuple[str, str | None]:
    with pytest.raises(SubjectError) as caught:
        read(folder, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value), caught.value.path


def test_every_row_of_every_arrow_file_is_an_example_with_the_classes_of_the_feature() -> None:
    dataset = read(FUNDUS)
    train, val = dataset.splits["train"], dataset.splits["val"]
    assert [each.file for each in train.examples] == [f"train[{at}]/{at}_left.jpg" for at in range(6)]
    assert [each.file for each in val.examples] == [f"validation[{at}]/{100 + at}_right.jpg" for at in range(3)]
    assert [(each.label, each.class_name) for each in val.examples] == [(0, "No DR"), (1, "Mild"), (2, "Severe")]
    assert train.classes == {"No DR": 0, "Mild": 1, "Severe": 2}
    assert dataset.notes == ("the split 'validation' is read as val.",)


def test_the_bytes_of_an_image_are_read_as_they_are_stored() -> None:
    dataset = read(FUNDUS)
    for _, file, _ in dataset.files():
        content = read_content(dataset.content(file), 10**6)
        assert content is not None
        assert (content[:3], content[-2:]) == (b"\xff\xd8\xff", b"\xff\xd9")
        assert open_image(dataset.content(file)).size == (24, 24)
    found = images.function(dataset, lambda *_: None)
    assert (found.listed, found.decoded, found.corrupt, found.identical) == (9, 9, (), ())
    assert splits.function(dataset).absent == 0


def test_images_of_an_arrow_file_make_a_batch() -> None:
    from torchvision.transforms.functional import to_tensor

    inputs, targets = take_images(read(FUNDUS), to_tensor, 6, 0)
    assert (inputs.shape, sorted(targets.tolist())) == ((6, 3, 24, 24), [0, 0, 1, 1, 2, 2])


def test_columns_that_the_spec_names_are_groups_and_labels(fundus: Path) -> None:
    dataset = read(fundus, label_column="many", group_column="patient")
    assert [each.group for each in dataset.splits["val"].examples] == ["p100", "p101", "p102"]
    assert [each.label for each in dataset.first.examples[:2]] == [(0, 0, 0), (1, 0, 1)]
    assert dataset.notes[1:] == ()
    words = read(fundus, label_column="patient")
    assert words.splits["val"].classes == {"P100": 6, "P101": 7, "P102": 8}
    ages = read(fundus, label_column="age").first.examples
    assert [(each.label, each.class_name) for each in ages[:2]] == [(0, "50.5"), (None, "")]


def test_a_single_dataset_is_the_split_for_training(fundus: Path) -> None:
    dataset = read(fundus / "validation")
    assert [*dataset.splits] == ["train"]
    assert dataset.first.examples[0].file == "train[0]/100_right.jpg"
    assert "is a single Dataset" in refusal(fundus / "validation", splits=SavedSplits(val="validation"))[0]


def test_splits_of_other_names_are_named_and_those_left_out_are_noted(fundus: Path) -> None:
    (fundus / "train").rename(fundus / "fold_1")
    change(fundus / "dataset_dict.json", lambda found: found.update(splits=["fold_1", "validation"]))
    dataset = read(fundus, splits=SavedSplits(train="fold_1"))
    assert [*dataset.splits] == ["train"]
    assert "no split reads 'validation' beside fold_1" in dataset.notes[0]
    text, path = refusal(fundus, splits=SavedSplits(train="fold_2"))
    assert (path, "did you mean 'fold_1'?" in text) == ("data.datasets.splits.train", True)


def test_labels_that_a_public_test_set_hides_are_no_labels(fundus: Path) -> None:
    features = json.loads((fundus / "train" / INFO).read_text())["features"]
    photo = {"bytes": b"abc", "path": "a.jpg"}
    save(fundus / "validation", {"image": [photo, photo], "label": [-1, None]}, features)
    dataset = read(fundus)
    assert not dataset.splits["val"].has_labels
    assert "validation: every label is -1 or null: the split has no labels." in dataset.notes


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (shutil.rmtree, "there is no folder 'fundus' beside the spec"),
        (lambda root: (root / "dataset_dict.json").unlink(), "has neither dataset_dict.json nor dataset_info.json"),
        (lambda root: (root / "dataset_dict.json").write_text("{"), "fundus/dataset_dict.json cannot be read as JSON"),
        (lambda root: (root / "dataset_dict.json").write_text("[]"), "dataset_dict.json holds no object of JSON"),
        (lambda root: (root / "dataset_dict.json").write_text("{}"), "fundus/dataset_dict.json names no splits"),
        (lambda root: (root / "train" / INFO).unlink(), "train/dataset_info.json cannot be read"),
        (lambda root: (root / "train" / INFO).write_text("{}"), "train/dataset_info.json names no features"),
        (lambda root: (root / "train" / STATE).unlink(), "train/state.json cannot be read"),
        (lambda root: (root / "train" / STATE).write_text("{}"), "train/state.json names no Arrow files"),
        (
            lambda root: change(
                root / "train" / STATE, lambda found: found.update(_indices_data_files=[{"filename": "i"}])
            ),
            "train/state.json names a list of chosen rows",
        ),
        (
            lambda root: (root / "train/data-00001-of-00002.arrow").unlink(),
            "there is no file train/data-00001-of-00002.arrow",
        ),
    ],
)
def test_a_folder_that_save_to_disk_did_not_leave_so_is_named_in_one_line(
    damage: Callable[[Path], object], reason: str, fundus: Path
) -> None:
    damage(fundus)
    text, path = refusal(fundus)
    assert reason in text
    assert path == "data.datasets.root"


def test_a_file_in_place_of_the_folder_and_a_folder_without_its_info_are_named(fundus: Path) -> None:
    text, _ = refusal(fundus / "train/data-00000-of-00002.arrow")
    assert "is a file; name the folder that `save_to_disk` wrote" in text
    (fundus / "train" / INFO).unlink()
    assert "train has no dataset_info.json" in refusal(fundus / "train")[0]


def test_a_column_that_is_no_image_or_that_is_not_there_is_named(fundus: Path) -> None:
    text, path = refusal(fundus, image_column="patient")
    assert (path, text[:28]) == ("data.datasets.image_column", "'patient' is no Image but st")
    text, path = refusal(fundus, label_column="lable")
    assert (path, "did you mean 'label'?" in text) == ("data.datasets.label_column", True)
    change(fundus / "train" / INFO, lambda found: found["features"].pop("image"))
    text, path = refusal(fundus)
    assert (path, "has no column of Image: 'label' (ClassLabel)" in text) == ("data.datasets", True)


def test_every_truncation_of_an_arrow_file_is_noticed(fundus: Path) -> None:
    """Cut anywhere but behind its last batch, where the mark of the end alone is lost."""
    whole = (fundus / "validation/data-00000-of-00001.arrow").read_bytes()
    for size in range(0, len(whole) - 8, 61):
        (fundus / "validation/data-00000-of-00001.arrow").write_bytes(whole[:size])
        assert "validation/data-00000-of-00001.arrow" in refusal(fundus)[0]


def test_no_damage_of_an_arrow_file_is_more_than_an_error_in_one_line(fundus: Path) -> None:
    path = fundus / "validation/data-00000-of-00001.arrow"
    whole = path.read_bytes()
    lines: list[str] = []
    for place in range(0, 1600, 7):
        path.write_bytes(whole[:place] + b"\xff\x7f" + whole[place + 2 :])
        try:
            stored_now = [*read(fundus).stored.values()]
        except SubjectError as error:
            lines.append(str(error))
            continue
        for stored in stored_now:
            assert stored.start >= 0
            assert stored.size >= 0
    assert lines
    assert not any("\n" in line for line in lines)


def test_a_file_that_became_shorter_since_it_was_listed_is_a_corrupt_image(fundus: Path) -> None:
    dataset = read(fundus)
    path = fundus / "validation/data-00000-of-00001.arrow"
    path.write_bytes(path.read_bytes()[:600])
    found = images.function(dataset, lambda *_: None)
    assert [each.file for each in found.corrupt] == [f"validation[{at}]/{100 + at}_right.jpg" for at in range(3)]
    assert "data-00000-of-00001.arrow ends before it" in found.corrupt[0].reason
    with pytest.raises(EOFError):
        open_content(dataset.content("validation[0]/100_right.jpg"))


def test_values_and_places_are_those_that_another_writer_of_arrow_meant(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars", reason="the extra `tables` is not installed")
    photos = [
        {"bytes": b"abc", "path": "a.jpg"},
        None,
        {"bytes": None, "path": "x/y.png"},
        {"bytes": b"", "path": None},
    ]
    cells: dict[str, Any] = {
        "image": photos,
        "whole": [1, None, 3, 2**40],
        "real": [1.5, None, 2.0, 3.0],
        "text": ["ä", None, "", "z"],
        "yes": [True, None, False, True],
        "several": [[1, 2], [], None, [3]],
        "nothing": [None] * 4,
    }
    frame = polars.DataFrame(cells)
    path = tmp_path / "a.arrow"
    frame.write_ipc_stream(path, compat_level=polars.CompatLevel.oldest())

    def take(batch: Batch) -> None:
        taken.append({name: batch.values(name) for name in cells if name != "image"})
        images.extend(batch.images("image"))

    taken: list[dict[str, Any]] = []
    images: list[tuple[tuple[int, int] | None, str]] = []
    read_batches(path, "a.arrow", "data", take)
    assert taken == [{name: cells[name] for name in cells if name != "image"}]
    assert [name for _, name in images] == ["a.jpg", "", "x/y.png", ""]
    whole = path.read_bytes()
    assert [None if span is None else whole[span[0] :][: span[1]] for span, _ in images] == [b"abc", None, None, b""]


@pytest.mark.parametrize(
    ("cells", "options", "reason"),
    [
        ({"image": [{"bytes": b"a" * 500, "path": ""}]}, {"compression": "zstd"}, "its batches are compressed"),
        ({"image": [{"bytes": "abc", "path": ""}]}, {}, "'image.bytes' does not hold bytes, but"),
        ({"image": ["a.jpg"]}, {}, "'image' is not an Image: it has no bytes and paths"),
        ({"images": ["a.jpg"]}, {}, "it has no column 'image'"),
    ],
    ids=["compressed", "texts", "paths", "none"],
)
def test_what_datasets_does_not_write_is_refused(
    cells: dict[str, Any], options: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    polars = pytest.importorskip("polars", reason="the extra `tables` is not installed")
    path = tmp_path / "a.arrow"
    polars.DataFrame(cells).write_ipc_stream(path, compat_level=polars.CompatLevel.oldest(), **options)
    with pytest.raises(SubjectError, match=reason):
        read_batches(path, "a.arrow", "data", lambda batch: batch.images("image"))


def test_labels_that_are_neither_numbers_nor_texts_are_refused(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars", reason="the extra `tables` is not installed")
    path = tmp_path / "a.arrow"
    polars.DataFrame({"label": [{"a": 1}]}).write_ipc_stream(path, compat_level=polars.CompatLevel.oldest())
    with pytest.raises(SubjectError, match="'label' holds neither numbers nor texts, but struct"):
        read_batches(path, "a.arrow", "data", lambda batch: batch.values("label"))


def test_the_extra_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "is an Arrow file, which the extra `datasets` reads: pip install 'retspec[datasets]'" in refusal(FUNDUS)[0]


def test_rows_without_a_group_are_noted(tmp_path: Path) -> None:
    photos = [{"bytes": b"abc", "path": None}] * 3
    features = {"image": IMAGE, "label": GRADE, "patient": {"_type": "Value", "dtype": "int64"}}
    save(tmp_path / "one", {"image": photos, "label": [0, 1, 0], "patient": [7, None, 8]}, features)
    dataset = read(tmp_path / "one", group_column="patient")
    assert [(each.file, each.group) for each in dataset.first.examples] == [
        ("train[0]", "7"),
        ("train[1]", None),
        ("train[2]", "8"),
    ]
    assert dataset.notes == ("train: 1 of 3 rows have no group.",)


def test_an_image_that_was_saved_by_its_path_alone_is_that_file(tmp_path: Path) -> None:
    there, gone = str(tmp_path / "there.jpg"), str(tmp_path / "gone.jpg")
    Path(there).write_bytes(b"abc")
    photos = [{"bytes": None, "path": path} for path in (there, gone, None)]
    save(tmp_path / "one", {"image": photos, "label": [0, 1, 0]}, {"image": IMAGE, "label": GRADE})
    dataset = read(tmp_path / "one")
    assert (dataset.stored, dataset.first.examples[0].file) == ({}, there)
    assert splits.function(dataset).missing == (gone, "train[2]")


def test_a_place_says_where_the_bytes_are() -> None:
    stored = read(FUNDUS).stored["validation[0]/100_right.jpg"]
    assert isinstance(stored, Stored)
    content = (FUNDUS / stored.holder).read_bytes()[stored.start : stored.start + stored.size]
    assert content.startswith(b"\xff\xd8\xff")

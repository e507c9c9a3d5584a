"""Files of predictions become records: what their cells mean, and what is no prediction."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from retspec.errors import SubjectError
from retspec.records import PredictionFiles
from retspec.subjects.predictions.reading import PredictionReader

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.facts import Predictions

CSV = """\
image,grade,p0,p1,p2,patient,sex,split
a.png,0,0.7,0.2,0.1,A,f,val
b.png,2,0.1,0.1,0.8,A,f,test
c.png,1,0.25,0.5,0.25,B,,test
d.png,0,0.9,0.05,0.05,B,m,test
"""
COLUMNS: dict[str, Any] = {"id": "image", "label": "grade", "scores": ["p0", "p1", "p2"]}


def read(folder: Path, text: str = CSV, **section: Any) -> Predictions:
    (folder / "test.csv").write_text(text)
    return PredictionReader(PredictionFiles(**{"csv": "test.csv", **COLUMNS, **section}), folder).read()


def test_each_column_becomes_what_its_key_says(tmp_path: Path) -> None:
    found = read(tmp_path, split="test", group="patient", subgroups=["sex"])
    table = found.judged
    assert (found.split, found.classes, found.source, found.group) == (
        "test",
        ("p0", "p1", "p2"),
        "test.csv",
        "patient",
    )
    assert table.ids == ("b.png", "c.png", "d.png")
    assert table.labels.tolist() == [2, 1, 0]
    assert table.scores.tolist() == [[0.1, 0.1, 0.8], [0.25, 0.5, 0.25], [0.9, 0.05, 0.05]]
    assert table.groups is not None
    assert table.groups.tolist() == [0, 1, 1]
    assert table.subgroups == {"sex": ("f", "", "m")}
    assert found.tables["val"].ids == ("a.png",)


def test_all_rows_are_judged_and_count_by_themselves_unless_the_spec_says_otherwise(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert (found.split, len(found.judged.ids), found.group) == ("", 4, None)
    assert found.judged.units.tolist() == [0, 1, 2, 3]


def test_each_split_may_have_a_file(tmp_path: Path) -> None:
    (tmp_path / "val.csv").write_text(CSV.replace("a.png", "v.png"))
    found = read(tmp_path, csv={"val": "val.csv", "test": "test.csv"}, split="test")
    assert [found.tables[name].ids[0] for name in ("val", "test")] == ["v.png", "a.png"]
    assert found.source == "test.csv"


def test_every_format_gives_the_same_rows(tmp_path: Path) -> None:
    expected = read(tmp_path, group="patient")
    frame = pl.read_csv(tmp_path / "test.csv")
    frame.write_parquet(tmp_path / "test.parquet")
    frame.write_ndjson(tmp_path / "test.jsonl")
    (tmp_path / "test.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    probabilities = frame.select("p0", "p1", "p2").to_numpy()
    names = {name: np.array(frame[name].to_list()) for name in ("image", "patient")}
    np.savez(tmp_path / "test.npz", **names, grade=frame["grade"].to_numpy(), p=probabilities)
    files = [
        PredictionFiles(**COLUMNS, group="patient", parquet="test.parquet"),
        PredictionFiles(**COLUMNS, group="patient", jsonl="test.jsonl"),
        PredictionFiles(**COLUMNS, group="patient", csv="test.csv.gz"),
        PredictionFiles(**{**COLUMNS, "scores": "p"}, group="patient", npz="test.npz"),
    ]
    for section in files:
        found = PredictionReader(section, tmp_path).read().judged
        assert found.ids == expected.judged.ids
        assert found.groups is not None
        assert found.groups.tolist() == [0, 0, 1, 1]
        assert np.array_equal(found.scores, expected.judged.scores)
        assert np.array_equal(found.labels, expected.judged.labels)


def test_one_column_is_the_probability_of_class_1(tmp_path: Path) -> None:
    found = read(tmp_path, "image,grade,p\na,0,0.25\nb,true,0.75\nc,False,1\n", scores="p")
    assert found.classes == ("0", "1")
    assert found.judged.scores.tolist() == [[0.75, 0.25], [0.25, 0.75], [0, 1]]
    assert found.judged.labels.tolist() == [0, 1, 0]


def test_logits_become_probabilities(tmp_path: Path) -> None:
    text = "image,grade,z0,z1\na,0,1000,0\nb,1,0,0\nc,1,-inf,0\nd,0,inf,0\n"
    found = read(tmp_path, text, scores=None, logits=["z0", "z1"]).judged.scores
    assert found[:3].tolist() == [[1, 0], [0.5, 0.5], [0, 1]]
    assert np.isnan(found[3]).all()
    single = read(tmp_path, text, scores=None, logits="z1").judged.scores
    assert single[0].tolist() == [0.5, 0.5]


def test_a_label_may_be_the_name_of_its_column(tmp_path: Path) -> None:
    text = "image,grade,none,mild\na,mild,0.2,0.8\nb,none,0.9,0.1\n"
    assert read(tmp_path, text, scores=["none", "mild"]).judged.labels.tolist() == [1, 0]


def test_scores_that_are_not_there_are_nan(tmp_path: Path) -> None:
    text = "image,grade,p\na,0,\nb,1,nan\nc,1,inf\nd,1,0.5\n"
    assert np.isnan(read(tmp_path, text, scores="p").judged.scores[:3]).all()


@pytest.mark.parametrize(
    ("text", "section", "message", "path"),
    [
        (CSV, {"label": "grad"}, "test.csv has no column 'grad'; it has 'image', 'grade',", "label"),
        (CSV, {"label": "grad"}, "did you mean 'grade'?", "label"),
        (CSV, {"subgroups": ["camera"]}, "has no column 'camera'", "subgroups"),
        (CSV, {"split": "tset"}, "no row is of the split 'tset'; did you mean 'test'?; there are 'val'", "split"),
        (CSV, {"split": "test", "split_column": "fold"}, "has no column 'fold'", "split_column"),
        (CSV.replace("B,m,test", "B,m,Test"), {"split": "test"}, "1 rows are of the split 'Test', beside 2", "split"),
        (CSV, {"csv": "tset.csv"}, "there is no file 'tset.csv' beside the spec", "csv"),
        (CSV.replace("d.png,0", "d.png,3"), {}, "line 5: 'grade' is '3', and the 3 classes are", "label"),
        (CSV.replace("d.png,0", "d.png,"), {}, "line 5: the column 'grade' is blank", "label"),
        (CSV.replace("d.png", ""), {}, "line 5: the column 'image' is blank", "id"),
        (CSV.replace("0.05,B", "0.05,"), {"group": "patient"}, "line 5: the column 'patient' is blank", "group"),
        (CSV.replace("0.9", "high"), {}, "line 5: 'p0' is 'high', which is no number", "scores"),
        (CSV.replace("0.9", "0.5"), {}, "line 5: the scores add up to 0.6", "scores"),
        (CSV.replace("0.9", "1.9"), {}, "a score is 1.9, and a probability is between 0 and 1; if", "scores"),
        ("image,grade,p0,p1,p2\n", {}, "has no row below its header", "csv"),
        ("", {}, "test.csv is empty", "csv"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_predictions_is_one_clear_line(
    tmp_path: Path, text: str, section: dict[str, Any], message: str, path: str
) -> None:
    with pytest.raises(SubjectError) as raised:
        read(tmp_path, text, **section)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert raised.value.path == f"predictions.{path}"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"image": np.array(["a"]), "grade": np.array([0, 1])}, "its arrays differ in their rows: image 1, grade 2"),
        ({"image": np.zeros((1, 1, 1))}, "the array 'image' has the shape (1, 1, 1)"),
        ({"image": np.array([{}], dtype=object)}, "cannot be read as arrays of NumPy"),
        ({}, "there is none"),
    ],
)
def test_arrays_that_are_no_rows_are_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "test.npz", **arrays)
    with pytest.raises(SubjectError) as raised:
        PredictionReader(PredictionFiles(**COLUMNS, npz="test.npz"), tmp_path).read()
    assert message in str(raised.value)


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test.npz").write_text(json.dumps({"image": "a"}))
    with pytest.raises(SubjectError, match=r"test.npz cannot be read as arrays of NumPy"):
        PredictionReader(PredictionFiles(**COLUMNS, npz="test.npz"), tmp_path).read()


def test_another_file_is_read_with_the_same_columns(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text(CSV)
    (tmp_path / "old.csv").write_text(CSV.replace("b.png", "o.png"))
    reader = PredictionReader(PredictionFiles(**COLUMNS, csv="test.csv", split="test"), tmp_path)
    assert reader.read_beside("old.csv", path="checks").ids == ("o.png", "c.png", "d.png")
    with pytest.raises(SubjectError, match=r"there is no file 'new.csv'"):
        reader.read_beside("new.csv", path="checks")


def test_rows_of_no_split_are_left_out_and_said(tmp_path: Path) -> None:
    found = read(tmp_path, CSV.replace("B,m,test", "B,m,"), split="test")
    assert found.judged.ids == ("b.png", "c.png")
    assert found.notes == ("test.csv: 1 of 4 rows are of no split, and left out.",)

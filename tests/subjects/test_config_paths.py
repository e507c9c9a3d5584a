"""Which keys of a training config are taken for paths: a false alarm on a healthy config is as bad as a miss."""

from __future__ import annotations

from typing import Any

import pytest

from retspec.subjects.config_paths import INPUTS, OUTPUT_FOLDERS, find, texts


def _required(data: Any) -> list[str]:
    return [text.place for text in texts(data) if text.matches(INPUTS) and text.is_path and not text.is_output]


@pytest.mark.parametrize(
    ("data", "places"),
    [
        ({"data": {"Train_CSV": "a.csv"}}, ["data.Train_CSV"]),
        ({"image_root": "x", "file": "y", "checkpoint": "z.pth"}, ["image_root", "file", "checkpoint"]),
        ({"val_csv": ["a.csv", "b.csv"]}, ["val_csv.0", "val_csv.1"]),
        ({"checkpoint": {"path": "a.pth", "monitor": "val_loss", "every": 5}}, ["checkpoint.path"]),
        ({"output_dir": "x", "log_file": "y", "save_path": "z", "cache_dir": "c", "work_dir": "w"}, []),
        ({"output": {"dir": "x"}, "hydra": {"run": {"dir": "y"}}, "logging": {"file": "z"}}, []),
        ({"checkpoint": "last", "resume_path": "", "val_csv": None, "file": "none", "root": True}, []),
        ({"checkpoint_path": "https://host/a.pth", "data_path": "s3://bucket", "model_path": "hf-hub:timm/x"}, []),
        ({"data_path": "C:/data"}, ["data_path"]),
        ({"profile": "x", "direction": "up", "rooted": "y"}, []),
    ],
)
def test_a_key_that_looks_like_a_path_of_an_input(data: Any, places: list[str]) -> None:
    assert _required(data) == places


@pytest.mark.parametrize(
    ("data", "places"),
    [
        ({"output_dir": "x", "train": {"log_dir": "y"}}, ["output_dir", "train.log_dir"]),
        ({"output": {"dir": "x", "name": "y"}}, ["output.dir"]),
        ({"data_dir": "x"}, []),
    ],
)
def test_a_key_of_a_folder_for_output(data: Any, places: list[str]) -> None:
    assert [text.place for text in texts(data) if text.matches(OUTPUT_FOLDERS)] == places


def test_a_place_is_matched_as_a_whole_and_a_key_wherever_it_stands() -> None:
    (text,) = texts({"data": {"train_csv": "a"}})
    assert text.matches(["data.*_csv"])
    assert text.matches(["TRAIN_CSV"])
    assert not text.matches(["csv"])
    assert not text.matches(["data"])


def test_the_first_folder_that_has_it_wins(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    (tmp_path / "b" / "x").touch()
    folders = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert find("x", folders) == str(tmp_path / "b" / "x")
    (tmp_path / "a" / "x").touch()
    assert find("./x", folders) == str(tmp_path / "a" / "x")
    assert find(str(tmp_path / "b" / "x"), folders) == str(tmp_path / "b" / "x")
    monkeypatch.setenv("HOME", str(tmp_path / "b"))
    assert find("~/x", folders) == str(tmp_path / "b" / "x")


@pytest.mark.parametrize("value", ["", " ", "y", "a\0b", "x" * 5000])
def test_what_is_not_there_is_not_found(tmp_path: Any, value: str) -> None:
    assert find(value, [str(tmp_path)]) == ""

"""Where files of strangers are expected, a pipe, a device, a file of any size: nothing waits, nothing reads on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retspec.errors import SubjectError
from retspec.measurements.violations import violations
from retspec.records import Config
from retspec.subjects.data.images import open_image
from retspec.subjects.data.reading import Reading
from retspec.subjects.data.tables.reading import read_table
from retspec.subjects.models.image_processors import FILE, preprocessing_in

if TYPE_CHECKING:
    from collections.abc import Callable


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(3 << 30)


MAKE: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "/dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "a folder": Path.mkdir,
}


@pytest.mark.parametrize("kind", MAKE)
def test_what_is_no_file_is_a_corrupt_image(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    MAKE[kind](path)
    seen = Reading(10**6).of(path)
    assert seen.digest is None
    assert "Is a directory" in seen.reason or "it is not a regular file" in seen.reason
    with pytest.raises(SubjectError, match="cannot be opened"):
        open_image(path)


def test_an_image_of_3_gb_is_not_read(tmp_path: Path) -> None:
    huge(tmp_path / "a.png")
    assert Reading(10**6).of(tmp_path / "a.png").reason == "it is larger than 1 GiB"


def test_a_name_with_a_nul_is_the_name_of_no_image() -> None:
    assert "null" in Reading(10**6).of(Path("a\0.png")).reason


@pytest.mark.parametrize("kind", MAKE)
def test_what_is_no_file_is_no_table(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    MAKE[kind](path)
    with pytest.raises(SubjectError, match=r"train\.csv cannot be read as a table"):
        read_table(path, "train.csv", path="data.csv.train")


@pytest.mark.parametrize("kind", MAKE)
def test_what_is_no_file_is_no_schema(kind: str, tmp_path: Path) -> None:
    MAKE[kind](tmp_path / "schema.json")
    with pytest.raises(SubjectError, match=r"cannot be read as JSON|there is no schema"):
        violations(config_in(tmp_path), schema="schema.json")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 10**5, "cannot be read as JSON"),
        (" " * (16 << 20) + "{}", "is larger than 16 MiB; is this a schema?"),
        ('{"$ref": "#"}', "the schema refers to itself without end, or is nested too deep"),
        ('{"$ref": "http://127.0.0.1:1/x.json"}', "which is not in it"),
    ],
)
def test_a_schema_without_an_end_is_refused(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text(text)
    with pytest.raises(SubjectError, match=says):
        violations(config_in(tmp_path), schema="schema.json")


def config_in(folder: Path) -> Config:
    return Config(file=str(folder / "train.yaml"), data={"a": 1}, folders=(str(folder),))


@pytest.mark.parametrize("kind", MAKE)
def test_what_is_no_file_says_nothing_of_preprocessing(kind: str, tmp_path: Path) -> None:
    MAKE[kind](tmp_path / FILE)
    assert preprocessing_in(tmp_path) is None


@pytest.mark.parametrize("text", ["[" * 10**5, " " * 2**20 + "{}", '{"size": 1' + "0" * 5000 + "}"])
def test_a_file_without_an_end_says_nothing_of_preprocessing(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text)
    assert preprocessing_in(tmp_path) is None

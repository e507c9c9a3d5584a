"""Where files of strangers are expected, a pipe, a device, a file of any size: nothing waits, nothing reads on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retspec.errors import SubjectError
from retspec.subjects.data.images import open_image
from retspec.subjects.data.reading import Reading
from retspec.subjects.data.tables.reading import read_table

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

"""The files of items are found in whatever a dataset lists them in, and among those that it opens."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from torch.utils.data import ConcatDataset, Dataset, Subset

from retspec.errors import SubjectError
from retspec.subjects.data.item_files import ListedFiles, folders_of, is_below, opened_files
from retspec.subjects.openings import openings_noted

if TYPE_CHECKING:
    from collections.abc import Callable


class Listing(Dataset[Any]):
    """Has a length and attributes."""

    def __init__(self, length: int, **attributes: Any) -> None:
        self.length = length
        vars(self).update(attributes)

    def __len__(self) -> int:
        return self.length


class Table(dict[str, Any]):
    """Has what a DataFrame of pandas has, as far as it matters here."""

    iloc = None

    @property
    def columns(self) -> list[str]:
        return [*self]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    paths = [tmp_path / "images" / f"{index}.png" for index in range(5)]
    paths[0].parent.mkdir()
    for path in paths:
        path.write_bytes(b"image")
    return [*map(str, paths)]


@pytest.mark.parametrize(
    "attributes",
    [
        lambda files: {"samples": [(file, 0) for file in files], "targets": [0] * 5},
        lambda files: {"paths": tuple(map(Path, files)), "classes": ["a", "b", "c", "d", "e"]},
        lambda files: {"names": np.array(files), "labels": np.zeros(5)},
        lambda files: {"data": [{"image": file, "label": 0} for file in files]},
        lambda files: {"reader": SimpleNamespace(samples=[(file, 0) for file in files])},
        lambda files: {"inner": Listing(5, paths=files)},
    ],
    ids=["samples", "paths", "array", "mappings", "reader", "wrapped"],
)
def test_whatever_is_as_long_as_the_dataset_and_names_files_lists_them(
    attributes: Callable[[list[str]], dict[str, Any]], files: list[str]
) -> None:
    listed = ListedFiles(Listing(5, **attributes(files)))
    assert [listed.of(index) for index in range(5)] == [{file} for file in files]
    assert listed.of(np.int64(3)) == {files[3]}


def test_a_column_of_a_table_lists_them(files: list[str]) -> None:
    table = Table(path=np.array(files), patient=np.array(["a"] * 5))
    assert ListedFiles(Listing(5, table=table)).of(2) == {files[2]}


def test_subsets_and_concatenations_are_followed(files: list[str]) -> None:
    first, second = Listing(2, paths=files[:2]), Listing(3, paths=files[2:])
    listed = ListedFiles(Subset(ConcatDataset([first, second]), [4, 1, 2]))
    assert [listed.of(index) for index in range(3)] == [{files[4]}, {files[1]}, {files[2]}]


@pytest.mark.parametrize("names", [["a", "b", "c", "d", "e"], [], None])
def test_what_names_no_file_lists_none(names: Any) -> None:
    assert ListedFiles(Listing(5, names=names)).of(0) == frozenset()


def test_what_is_opened_are_the_files_that_are_read(files: list[str], tmp_path: Path) -> None:
    def read() -> None:
        Path(files[0]).read_bytes()
        (tmp_path / "log.txt").write_text("no data")
        Path(os.__file__).read_bytes()
        os.close(os.open(files[1], os.O_RDONLY))

    assert opened_files(read) == {files[0], files[1]}


def test_nothing_is_noted_afterwards(files: list[str]) -> None:
    noted: list[Any] = []
    with openings_noted(noted.append):
        pass
    Path(files[0]).read_bytes()
    assert noted == []


def test_a_link_is_below_the_folder_that_it_lies_in_and_the_one_that_it_leads_to(
    files: list[str], tmp_path: Path
) -> None:
    (tmp_path / "linked").symlink_to(tmp_path / "images")
    link = str(tmp_path / "linked" / "0.png")
    assert is_below(link, [str(tmp_path / "linked")])
    assert is_below(link, [str(tmp_path / "images")])
    assert not is_below(files[0], [str(tmp_path / "images2"), str(tmp_path / "other")])


@pytest.mark.usefixtures("files")
def test_a_folder_is_looked_for_beside_each_base_and_a_file_stands_for_its_folder(tmp_path: Path) -> None:
    images = str(tmp_path / "images")
    assert folders_of(["images", "images/3.png", images], [tmp_path / "elsewhere", tmp_path]) == (images,)
    with pytest.raises(SubjectError, match="there is no 'image' beside the spec"):
        folders_of(["image"], [tmp_path])

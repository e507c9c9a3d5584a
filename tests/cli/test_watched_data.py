"""`run --watch`, the folders of the data: which ones they are, and that their changes are waited for."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retspec.cli.again.files import WatchedFiles
from retspec.prepare import prepare
from retspec.report.live import folders_among

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _names(paths: list[str]) -> list[str]:
    return sorted(os.path.relpath(path, "data") for path in paths)


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ("{imagefolder: {root: data}}", ["data"]),
        ("{csv: {train: t.csv, images: data/train, image_column: name, label_column: label}}", ["data/train"]),
        ("{csv: {train: t.csv, image_column: name, label_column: label}}", ["."]),
        ("{factory: 'mine:loader', kwargs: {root: data}}", ["data"]),
    ],
    ids=["a folder", "a table", "a table and its own folder", "a factory"],
)
def test_the_folders_that_the_section_data_names_are_watched(data: Path, section: str, named: list[str]) -> None:
    Path("mine.py").write_text("def loader(root): ...\n")
    Path("s.yaml").write_text(f"retspec: 1\ndata: {section}\nchecks: {{config_paths: 0}}\nconfig: c.yaml\n")
    Path("c.yaml").write_text("a: 1\n")
    plan, _ = prepare("s.yaml")
    found = folders_among([plan.spec.data], plan.spec.folders)
    assert [os.path.relpath(path) for path in found] == named
    assert data.is_dir()


def test_a_change_of_the_data_is_waited_for_as_that_of_a_file(data: Path) -> None:
    Path("s.yaml").write_text("retspec: 1\n")
    time.sleep(0.02)
    looks: Iterator[Callable[[], object]] = iter([data.exists, (data / "train/a/9.png").touch, *[data.exists] * 20])

    def act() -> None:
        next(looks)()

    files = WatchedFiles([Path("s.yaml")], act)
    files.begin()
    files.learn([], [str(data)], is_judged=True)
    assert files.count == 4
    files.begin()
    files.learn([], is_judged=False)
    assert files.count == 4, "a run that came to nothing says nothing of its data"
    assert _names(files.wait()) == ["train/a/9.png"]


def test_data_that_every_run_changes_is_dropped_with_the_files(data: Path) -> None:
    Path("s.yaml").write_text("retspec: 1\n")
    looks = iter(range(100))
    files = WatchedFiles([Path("s.yaml")], lambda: next(looks))
    for number in range(6):
        files.begin()
        time.sleep(0.02)
        (data / "train/labels.cache").write_text("x" * number)
        files.learn([], [str(data)], is_judged=True)
        if dropped := files.drop():
            break
        files.wait()
    assert _names(dropped) == ["train/labels.cache"]

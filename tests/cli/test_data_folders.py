"""`run --watch`, the folders of the data: what is seen in them, and what a turn costs."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from retspec.cli.again import data_folders
from retspec.cli.again.data_folders import FILES, FOLDERS, DataFolders

if TYPE_CHECKING:
    from collections.abc import Callable

OLD = time.time() - 3600


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _age(*folders: Path) -> None:
    """Let folders look as if they had been left alone for an hour."""
    for folder in folders:
        os.utime(folder, (OLD, OLD))


def _watched(*roots: Path, turns: int = 2) -> DataFolders:
    """Return these folders after a run, each file looked at."""
    time.sleep(0.02)  # the clock of a file system has ticks
    found = DataFolders([str(Path.cwd())])
    found.begin()
    found.learn(map(str, roots))
    assert [path for _ in range(turns) for path in found.look()] == []
    return found


def _names(paths: list[str]) -> list[str]:
    return sorted(os.path.relpath(path, "data") for path in paths)


def _change(path: Path) -> None:
    path.write_text("another")


EDITS: list[tuple[Callable[[Path], object], list[str]]] = [
    (lambda data: _change(data / "train/a/1.png"), ["train/a/1.png"]),
    (lambda data: (data / "train/b/4.png").write_text("new"), ["train/b/4.png"]),
    (lambda data: (data / "train/a/2.png").unlink(), ["train/a/2.png"]),
    (lambda data: (data / "train/a/2.png").rename(data / "train/b/2.png"), ["train/a/2.png", "train/b/2.png"]),
    (lambda data: (data / "train/b").rename(data / "train/c"), ["train/b", "train/c"]),
    (lambda data: shutil.rmtree(data / "train/b"), ["train/b"]),
    (lambda data: shutil.copytree(data / "train", data / "test"), ["test"]),
    (shutil.rmtree, ["train"]),
]


@pytest.mark.parametrize(
    ("edit", "seen"),
    EDITS,
    ids=["written", "added", "removed", "moved", "folder renamed", "folder removed", "folder added", "all removed"],
)
def test_an_edit_of_each_kind_is_seen_in_the_next_turn_and_once(
    data: Path, edit: Callable[[Path], object], seen: list[str]
) -> None:
    found = _watched(data)
    edit(data)
    assert {*seen} <= {*_names(found.look())}
    found.begin()
    found.learn([str(data)])
    assert found.look() == []


def test_what_is_in_a_folder_that_was_added_is_watched_too(data: Path) -> None:
    found = _watched(data)
    shutil.copytree(data / "train", data / "test")
    found.look()
    found.begin()
    _change(data / "test/a/1.png")
    (data / "test/b/5.png").touch()
    assert _names(found.look()) == ["test/a/1.png", "test/b/5.png"]


def test_a_folder_that_comes_back_is_seen(data: Path) -> None:
    found = _watched(data)
    data.rename("elsewhere")
    assert _names(found.look()) == ["train"]
    assert found.look() == []
    Path("elsewhere").rename(data)
    assert "train" in _names(found.look())


def test_a_class_that_comes_back_is_watched_again(data: Path) -> None:
    found = _watched(data)
    (data / "train/b").rename("elsewhere")
    assert _names(found.look()) == ["train/b"]
    Path("elsewhere").rename(data / "train/b")
    assert _names(found.look()) == ["train/b"]
    (data / "train/b/4.png").touch()
    assert "train/b/4.png" in _names(found.look())


def test_two_files_that_are_added_in_one_tick_of_the_clock_are_both_seen(data: Path) -> None:
    found = _watched(data)
    (data / "train/b/4.png").touch()
    assert "train/b/4.png" in _names(found.look())
    tick = (data / "train/b").stat()
    (data / "train/b/5.png").touch()
    os.utime(data / "train/b", ns=(tick.st_atime_ns, tick.st_mtime_ns))
    found.begin()
    assert "train/b/5.png" in _names(found.look())


def test_of_many_new_files_the_folder_is_named(data: Path) -> None:
    found = _watched(data)
    for number in range(6):
        (data / f"train/b/new-{number}.png").touch()
    assert "train/b" in _names(found.look())


# What a turn costs ---------------------------------------------------------------------------------


@pytest.fixture
def stats(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that are looked at."""
    looked: list[str] = []
    real = os.stat

    def counting(path: str, **options: Any) -> os.stat_result:
        looked.extend([] if options else [path])  # paths of pathlib have options
        return real(path, **options)

    monkeypatch.setattr(os, "stat", counting)
    return looked


def test_a_turn_costs_the_same_however_many_files_there_are_and_goes_round(data: Path, stats: list[str]) -> None:
    count = 5 * FILES + 7
    for number in range(count):
        (data / f"train/a/{number:05}.png").touch()
    _age(data, data / "train", data / "train/a", data / "train/b")
    found = _watched(data, turns=0)
    assert len(stats) == 4, "it learns of them by listing folders"
    seen: set[str] = set()
    for _ in range(-(-found.count // FILES)):
        stats.clear()
        found.look()
        assert len(stats) <= FILES + 4
        seen.update(path for path in stats if path.endswith(".png"))
    assert len(seen) == found.count == count + 3

    _change(data / "train/a/00600.png")
    stats.clear()
    turns = [found.look() for _ in range(7)]
    assert [_names(changed) for changed in turns if changed] == [["train/a/00600.png"]]
    (data / "train/b/new.png").touch()
    assert "train/b/new.png" in _names(found.look())


def test_of_very_many_folders_some_are_looked_at_in_a_turn(
    data: Path, stats: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert FOLDERS == 1_000
    monkeypatch.setattr(data_folders, "FOLDERS", 10)
    for number in range(35):
        (data / f"patient-{number}").mkdir()
    _age(data, *(path for path in data.rglob("*") if path.is_dir()))
    found = _watched(data, turns=0)
    (data / "patient-30/1.png").touch()
    turns = []
    for _ in range(5):
        stats.clear()
        turns.append(found.look())
        assert len([path for path in stats if not path.endswith(".png")]) <= 10
    assert [_names(changed) for changed in turns if changed] == [["patient-30/1.png"]]


# What counts ---------------------------------------------------------------------------------------


def test_hidden_files_and_caches_do_not_count(data: Path) -> None:
    found = _watched(data)
    for name in (".DS_Store", ".git/index", "__pycache__/a.pyc"):
        (data / name).parent.mkdir(exist_ok=True)
        (data / name).touch()
    assert found.look() == []


def test_a_link_to_a_folder_above_comes_to_an_end(data: Path) -> None:
    (data / "train/again").symlink_to(data)
    assert _watched(data).count == 3


def test_a_link_that_is_named_as_an_image_is_a_file_and_costs_no_look_at_where_it_leads(data: Path) -> None:
    (data / "train/b/5.png").symlink_to(data)
    assert _watched(data).count == 4


def test_in_the_folder_of_the_spec_only_images_count(data: Path) -> None:
    found = _watched(Path.cwd())
    Path("notes.txt").touch()
    Path("runs").mkdir()
    assert _names(found.look()) == ["../runs"]
    Path("runs/best.pth").touch()
    assert found.look() == []
    Path("runs/9.png").touch()
    (data / "10.png").touch()
    assert {"../runs/9.png", "10.png"} <= {*_names(found.look())}


def test_in_a_folder_of_data_below_that_of_the_spec_all_files_count(data: Path) -> None:
    found = _watched(Path.cwd(), data)
    (data / "labels.bin").touch()
    assert "labels.bin" in _names(found.look())


def test_a_change_while_the_run_works_is_seen_after_it(data: Path) -> None:
    found = _watched(data)
    found.begin()
    _change(data / "train/a/1.png")
    found.learn([str(data)])
    assert _names(found.look()) == ["train/a/1.png"]


def test_a_change_during_the_first_run_is_seen_and_one_before_it_is_not(data: Path) -> None:
    time.sleep(0.02)
    found = DataFolders([])
    found.begin()
    _change(data / "train/a/1.png")
    found.learn([str(data)])
    assert _names([*found.look(), *found.look()]) == ["train/a/1.png"]


def test_what_the_runs_themselves_write_is_dropped_and_named(data: Path) -> None:
    found = _watched(data)
    dropped = []
    for number in range(6):
        found.begin()
        (data / "train/labels.cache").write_text("x" * number)
        found.learn([str(data)])
        dropped += found.drop()
        found.look()
    assert _names(dropped) == ["train/labels.cache"]
    _change(data / "train/labels.cache")
    _change(data / "train/a/1.png")
    assert _names(found.look()) == ["train/a/1.png"]

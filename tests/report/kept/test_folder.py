"""A folder of reports belongs to one spec, and one run at a time writes to it."""

from __future__ import annotations

import errno
import fcntl
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from retspec.errors import ReportError
from retspec.report.kept.folder import folders_for

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a/light.yaml", "b/light.yaml", "c/light-2.yaml"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)


def _chosen(*specs: Path) -> list[str]:
    folders = folders_for(specs)
    for folder in folders:
        with folder.claimed(partial=False):
            pass
    return [folder.path.name for folder in folders]


def test_specs_of_one_name_have_a_folder_each_and_keep_it(tmp_path: Path) -> None:
    a, b = tmp_path / "a" / "light.yaml", tmp_path / "b" / "light.yaml"
    assert _chosen(b, a) == ["light", "light-2"]
    assert [_chosen(a), _chosen(b), _chosen(a, b)] == [["light-2"], ["light"], ["light-2", "light"]]
    assert _chosen(tmp_path / "c" / "light-2.yaml") == ["light-2-2"]


def test_the_same_spec_has_one_folder_however_it_is_spelled(tmp_path: Path) -> None:
    (tmp_path / "link.yaml").symlink_to("a/light.yaml")
    assert {folder.path.name for folder in folders_for([tmp_path / "a" / "light.yaml", tmp_path / "a/../a/light.yaml"])}
    assert _chosen(tmp_path / "a" / "light.yaml") == ["light"]
    assert _chosen(tmp_path / "b" / ".." / "a" / "light.yaml") == ["light"]


def test_a_folder_of_a_spec_that_is_gone_is_taken_over(tmp_path: Path) -> None:
    a, b = tmp_path / "a" / "light.yaml", tmp_path / "b" / "light.yaml"
    assert _chosen(a) == ["light"]
    a.unlink()
    assert _chosen(b) == ["light"]


def test_two_runs_never_write_to_one_place_and_a_part_has_its_own(tmp_path: Path) -> None:
    (folder,) = folders_for([tmp_path / "a" / "light.yaml"])
    with ExitStack() as claims:
        places = [claims.enter_context(folder.claimed(partial=partial)) for partial in (False, True, False, True)]
        assert [str(place.relative_to(folder.path)) for place in places] == [".", "partial", "beside", "beside-2"]
    with folder.claimed(partial=False) as place:
        assert place == folder.path


def test_halves_that_a_killed_run_left_go_when_no_other_run_writes(tmp_path: Path) -> None:
    (folder,) = folders_for([tmp_path / "a" / "light.yaml"])
    halves = [".results.json.ab12cd34", ".report.html.ab12cd34", ".junit.xml.ab12cd34", ".previous.json.ab12cd34"]
    others = [".results.json.old", ".junit.xml.ab12cd34.bak", ".mine.ab12cd34"]
    with folder.claimed(partial=False):
        for name in (*halves, *others):
            (folder.path / name).touch()
        with folder.claimed(partial=False):
            assert all((folder.path / name).exists() for name in halves)
    with folder.claimed(partial=False):
        assert sorted(path.name for path in folder.path.glob(".*")) == sorted([".spec", *others])


def test_without_locks_another_run_may_be_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    (folder,) = folders_for([tmp_path / "a" / "light.yaml"])
    half = folder.path / ".results.json.ab12cd34"
    folder.path.mkdir(parents=True)
    half.touch()
    with folder.claimed(partial=False) as place:
        assert (place, half.exists()) == (folder.path, True)


def test_a_folder_that_cannot_be_made_is_a_report_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "reports").touch()
    (folder,) = folders_for([tmp_path / "a" / "light.yaml"])
    with pytest.raises(ReportError, match="cannot write the reports to reports/light: Not a directory"):
        folder.claimed(partial=False).__enter__()

"""The starter spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_starter_is_valid(retspec: Any) -> None:
    assert retspec("init").code == 0
    finished = retspec("validate", "preflight.yaml")
    assert (finished.code, finished.err) == (0, "")
    assert finished.out == "preflight.yaml: ok (10 criteria)\n"


def test_its_first_line_names_the_schema_that_the_next_step_writes(retspec: Any, tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    finished = retspec("init", "specs/mine.yaml")
    first = (tmp_path / "specs" / "mine.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=retspec.schema.json"
    assert "retspec schema --output specs/retspec.schema.json" in finished.out
    assert "retspec run specs/mine.yaml" in finished.out


def test_a_file_that_is_there_is_left_alone(retspec: Any, tmp_path: Path) -> None:
    (tmp_path / "preflight.yaml").write_text("mine")
    finished = retspec("init")
    assert finished.code == 2
    assert finished.err == "Error: preflight.yaml exists; --force overwrites it\n"
    assert (tmp_path / "preflight.yaml").read_text() == "mine"


def test_force_overwrites(retspec: Any, tmp_path: Path) -> None:
    (tmp_path / "preflight.yaml").write_text("mine")
    assert retspec("init", "--force").code == 0
    assert "retspec: 1" in (tmp_path / "preflight.yaml").read_text()


def test_a_folder_that_is_not_there_is_told(retspec: Any) -> None:
    finished = retspec("init", "nowhere/a.yaml")
    assert finished.code == 2
    assert finished.err == "Error: cannot write nowhere/a.yaml: No such file or directory\n"

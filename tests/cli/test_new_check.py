"""`new-check` writes a check, a spec and a test that work, and nothing over what is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.usefixtures("unmeasured_programs")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_is_written_runs_under_pytest_as_it_is(retspec: Any, tmp_path: Path) -> None:
    finished = retspec("new-check", "my_heads")
    assert (finished.code, finished.err) == (0, "")
    assert finished.out.splitlines() == [
        "wrote my_heads.py, my_heads.retspec.yaml and test_my_heads.py; next:",
        "  retspec run my_heads.retspec.yaml",
        "  pytest test_my_heads.py",
    ]
    assert retspec("validate", "my_heads.retspec.yaml").code == 0
    assert retspec("checks", "my_heads", "-p", "my_heads.py").out.startswith("my_heads (")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "retspec.testing", "-p", "no:cacheprovider", "-q", "-rA"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout
    assert "my_heads.retspec.yaml::my_heads" in done.stdout


def test_a_file_that_is_there_stays_and_nothing_else_is_written(retspec: Any, tmp_path: Path) -> None:
    (tmp_path / "test_my_heads.py").write_text("mine")
    finished = retspec("new-check", "my_heads")
    assert (finished.code, finished.out) == (2, "")
    assert finished.err == "Error: test_my_heads.py exists already; nothing is written\n"
    assert [path.name for path in tmp_path.iterdir()] == ["test_my_heads.py"]
    assert (tmp_path / "test_my_heads.py").read_text() == "mine"


def test_it_writes_into_the_folder_that_is_named(retspec: Any, tmp_path: Path) -> None:
    (tmp_path / "checks").mkdir()
    assert "  retspec run checks/my_heads.retspec.yaml\n" in retspec("new-check", "my_heads", "-d", "checks").out
    assert len([*(tmp_path / "checks").iterdir()]) == 3


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("loss_drop", "there is a check 'loss_drop' already; `retspec checks loss_drop` shows it"),
        ("my-check", "'my-check' is no name for a check; write letters, digits and _, such as blurred_images"),
        ("class", "'class' is no name for a check; write letters, digits and _, such as blurred_images"),
        ("../x", "'../x' is no name for a check; write letters, digits and _, such as blurred_images"),
        ("json", "'json' is a module of Python, which json.py would hide; choose another name"),
    ],
)
def test_a_name_that_cannot_be_used_gets_one_line(retspec: Any, tmp_path: Path, name: str, message: str) -> None:
    finished = retspec("new-check", name)
    assert (finished.code, finished.out, finished.err) == (2, "", f"Error: {message}\n")
    assert not [*tmp_path.iterdir()]

"""What a spec names may lie beside it; while a stranger's file is read, nothing beside the spec can be imported."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from retspec.subjects.callables import allow_imports_from, installed_imports_alone, load_callable

if TYPE_CHECKING:
    from pathlib import Path

NAME = "beside_the_spec"


@pytest.fixture(autouse=True)
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module in a folder that a spec may import from."""
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.delitem(sys.modules, NAME, raising=False)
    (tmp_path / f"{NAME}.py").write_text("def build(): ...\n")
    allow_imports_from(tmp_path)
    return tmp_path


def test_it_can_be_imported_but_not_while_a_file_is_read() -> None:
    with installed_imports_alone(), pytest.raises(ModuleNotFoundError):
        importlib.import_module(NAME)
    assert callable(load_callable(f"{NAME}:build", path="model.factory"))


@installed_imports_alone()
def fail() -> None:
    with installed_imports_alone():
        assert not [entry for entry in sys.path if "test_the_path" in entry]
        raise ValueError("unreadable")


def test_the_path_is_as_before_after_an_error_too(beside: Path) -> None:
    before = sys.path.copy()
    assert str(beside) in before
    with pytest.raises(ValueError, match="unreadable"):
        fail()
    assert sys.path == before


def test_what_a_library_adds_to_the_path_meanwhile_stays(tmp_path: Path) -> None:
    with installed_imports_alone():
        sys.path.append(str(tmp_path / "added"))
    assert sys.path[-2:] == [str(tmp_path), str(tmp_path / "added")]


def test_what_the_environment_has_on_the_path_stays_and_libraries_import_lazily(tmp_path: Path) -> None:
    sys.path.append(str(tmp_path / "installed"))
    allow_imports_from(tmp_path / "installed")
    with installed_imports_alone():
        assert str(tmp_path / "installed") in sys.path
        assert importlib.import_module("wave").__name__ == "wave"

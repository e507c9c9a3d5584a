"""`{path: FILE}` under `kwargs` is a path beside the spec that says it, wherever retspec is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from retspec.records import Verdict
from retspec.spec.load import load
from tests.here import run_here

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from retspec.records import Result

MODULE = """
from pathlib import Path
import torch
from torch import nn

def build(weights, size):
    assert Path(weights).is_absolute() and Path(weights).read_text() == "weights"
    return nn.Sequential(nn.Flatten(), nn.Linear(12, size["path"] if isinstance(size, dict) else size))

def batch(table):
    return torch.zeros(2, 3, 2, 2), torch.tensor([int(label) for label in Path(table).read_text().split()])
"""
MODEL = 'model: {factory: "given_paths:build", kwargs: {weights: {path: w.txt}, size: %s}}\n'
DATA = 'data: {factory: "given_paths:batch", kwargs: {table: {path: labels.txt}}}\n'
CHECKS = "checks: {output_shape: [2, 3]}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module and its files; the working directory is another."""
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    project.mkdir()
    elsewhere.mkdir()
    (project / "given_paths.py").write_text(MODULE)
    (project / "w.txt").write_text("weights")
    (project / "labels.txt").write_text("0 2")
    monkeypatch.chdir(elsewhere)
    monkeypatch.syspath_prepend(project)
    return project


def result(spec: Path) -> Result:
    results: Mapping[str, Result] = run_here(spec)
    return results["output_shape"]


def written(path: Path, text: str) -> Path:
    path.write_text(f"retspec: 1\n{text}")
    return path


@pytest.mark.parametrize("size", ["3", "{path: 3}"])
def test_a_factory_gets_the_path_of_the_file_beside_the_spec(folder: Path, size: str) -> None:
    found = result(written(folder / "spec.yaml", MODEL % size + DATA + CHECKS))
    assert found.verdict is Verdict.MET, found.reason


def test_a_spec_that_extends_another_means_the_file_beside_that(folder: Path) -> None:
    written(folder / "base.yaml", MODEL % "3" + DATA)
    (folder / "sub").mkdir()
    found = result(written(folder / "sub/spec.yaml", "extends: ../base.yaml\n" + CHECKS))
    assert found.verdict is Verdict.MET, found.reason


@pytest.mark.parametrize(
    ("missing", "place"), [("w.txt", "model.kwargs.weights.path"), ("labels.txt", "data.kwargs.table.path")]
)
def test_a_path_that_leads_nowhere_is_refused_with_its_place(folder: Path, missing: str, place: str) -> None:
    (folder / missing).rename(folder / missing.replace(".txt", ".text"))
    spec = written(folder / "spec.yaml", MODEL % "3" + DATA + CHECKS)
    found = result(spec)
    assert found.verdict is Verdict.ERROR
    assert f"there is nothing at {missing}, beside the spec; did you mean '{missing[:-4]}.text'?" in found.reason
    mark = load(spec).mark(tuple(place.split(".")))
    assert f":{mark.line}:{mark.column}: " in found.reason


def test_the_spec_holds_what_was_written_so_that_its_hash_is_the_same_everywhere(folder: Path) -> None:
    document = load(written(folder / "spec.yaml", MODEL % "3" + DATA + CHECKS))
    assert document.data["model"]["kwargs"]["weights"] == {"path": "w.txt"}

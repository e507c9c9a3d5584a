"""The commands that list the cells of a matrix, and `--cell`, which selects some."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

MATRIX = """\
matrix:
  model.lora.r: [4, 8]
  train.steps: [3, 5]
"""


@pytest.fixture
def celled(spec: Path) -> Path:
    spec.write_text(spec.read_text() + "  loss_drop: 0.5\n" + MATRIX)
    return spec


def test_validate_counts_criteria_and_lists_cells(retspec: Any, celled: Path) -> None:
    finished = retspec("validate", celled)
    assert (finished.code, finished.err) == (0, "")
    assert finished.out.splitlines() == [
        f"{celled}: ok (12 criteria in 4 cells)",
        "  r=4, steps=3",
        "  r=4, steps=5",
        "  r=8, steps=3",
        "  r=8, steps=5",
    ]


@pytest.mark.parametrize(
    ("patterns", "cells"),
    [
        (["r=4"], ["r=4, steps=3", "r=4, steps=5"]),
        (["r=4", "steps=3"], ["r=4, steps=3", "r=4, steps=5", "r=8, steps=3"]),
        (["r=8*3"], ["r=8, steps=3"]),
    ],
)
def test_cells_are_selected_as_criteria_are(retspec: Any, celled: Path, patterns: list[str], cells: list[str]) -> None:
    options = [word for pattern in patterns for word in ("--cell", pattern)]
    assert retspec("validate", celled, *options).out.splitlines()[1:] == [f"  {cell}" for cell in cells]
    assert [shown["cell"] for shown in json.loads(retspec("show", celled, "--json", *options).out)] == cells
    planned = retspec("plan", celled, *options).out.splitlines()
    assert [line.removeprefix("cell ") for line in planned if line.startswith("cell ")] == cells


def test_a_name_selects_its_cell_whatever_characters_it_holds(retspec: Any, spec: Path) -> None:
    spec.write_text(spec.read_text() + "matrix: {model.lora.target_modules: [[qkv], [proj], qkv]}\n")
    cell = "target_modules=[qkv]"
    assert retspec("validate", spec, "--cell", cell).out.splitlines()[1:] == [f"  {cell}"]


def test_the_files_of_a_pattern_are_cells_to_plan_and_select(retspec: Any, spec: Path) -> None:
    for name in ("r4", "r16"):
        (spec.parent / "runs" / name).mkdir(parents=True)
        (spec.parent / "runs" / name / "best.pth").touch()
    spec.write_text(spec.read_text() + "matrix: {model.checkpoint: runs/*/best.pth}\n")
    cells = ["checkpoint=r4/best.pth", "checkpoint=r16/best.pth"]
    planned = retspec("plan", spec).out.splitlines()
    assert [line.removeprefix("cell ") for line in planned if line.startswith("cell ")] == cells
    assert retspec("validate", spec, "--cell", "r16").out.splitlines()[1:] == [f"  {cells[1]}"]
    assert retspec("validate", spec, "--cell", "*=r4/*").out.splitlines()[1:] == [f"  {cells[0]}"]


def test_only_the_selected_cells_are_validated(retspec: Any, celled: Path) -> None:
    celled.write_text(celled.read_text().replace("[4, 8]", "[4, many]"))
    assert retspec("validate", celled, "--cell", "r=4").code == 0
    finished = retspec("validate", celled)
    assert finished.code == 2
    (line,) = finished.err.splitlines()
    assert line.startswith(f"{celled}:12:21: model.lora.r: expected an integer")


def test_a_plan_is_a_table_for_each_cell(retspec: Any, celled: Path) -> None:
    out = retspec("plan", celled, "--cell", "r=4").out
    first, second = out.split("cell r=4, steps=5\n")
    assert "3 forward passes and 3 backward" in first
    assert "5 forward passes and 5 backward" in second


def test_each_cell_is_shown_as_a_document(retspec: Any, celled: Path) -> None:
    documents = retspec("show", celled, "--cell", "steps=5").out.split("---\n")
    assert [document.splitlines()[0] for document in documents] == ["# cell r=4, steps=5", "# cell r=8, steps=5"]
    assert "    r: 8" in documents[1].splitlines()


@pytest.mark.parametrize("command", ["validate", "plan", "show"])
def test_a_cell_that_is_not_there_is_no_success(retspec: Any, celled: Path, command: str) -> None:
    finished = retspec(command, celled, "--cell", "r=16")
    assert finished.code in {2, 5}
    assert "no cell matches 'r=16'; there are 'r=4, steps=3', 'r=4, steps=5'" in finished.err


def test_a_cell_of_a_spec_without_a_matrix_is_a_usage_error(retspec: Any, spec: Path) -> None:
    finished = retspec("plan", spec, "--cell", "r=16")
    assert finished.code == 2
    assert f"{spec} has no matrix, so there is no cell to select" in finished.err

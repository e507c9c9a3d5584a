"""Patterns of files in a matrix: which are patterns, what they find, and how the cells are called."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from retspec.errors import Mark, SpecError
from retspec.spec.load import load_cells
from retspec.spec.load.globs import Files
from retspec.spec.load.tree import Node

if TYPE_CHECKING:
    from retspec.spec.document import Document


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _files(*names: str) -> None:
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _cells(matrix: str, rest: str = "", folder: str = ".") -> list[Document]:
    Path(folder, "spec.yaml").write_text(f"retspec: 1\nmatrix: {matrix}\n{rest}")
    return load_cells(str(Path(folder, "spec.yaml")))


def _checkpoints(documents: list[Document]) -> dict[str, Any]:
    assert all(document.problems == () for document in documents)
    return {document.cell: document.data["model"]["checkpoint"] for document in documents}


def _problem(matrix: str, rest: str = "", folder: str = ".") -> str:
    with pytest.raises(SpecError) as refusal:
        raise SpecError(problem for document in _cells(matrix, rest, folder) for problem in document.problems)
    (problem,) = refusal.value.problems
    return str(problem)


def test_a_pattern_is_the_sorted_list_of_its_files() -> None:
    _files("runs/r16/best.pth", "runs/r4/best.pth", "runs/r4/last.pth", "runs/r8/best.pth", "runs/log.txt")
    documents = _cells('{model.checkpoint: "runs/*/best.pth"}')
    assert _checkpoints(documents) == {
        f"checkpoint={name}": f"runs/{name}" for name in ("r4/best.pth", "r8/best.pth", "r16/best.pth")
    }
    assert documents[2].mark(("model", "checkpoint")) == Mark("spec.yaml", 2, 28)


def test_files_and_values_are_in_one_list_and_each_file_is_there_once() -> None:
    _files("runs/a.pth", "runs/b.pth", "runs/b.pt", "old.pth")
    documents = _cells('{model.checkpoint: ["runs/b.pth", "runs/*.pth", "runs/*.p*", "old.pth"], train.lr: [1, 2]}')
    names = [document.cell for document in documents if document.cell.endswith(", lr=1")]
    assert names == [f"checkpoint={name}, lr=1" for name in ("runs/b.pth", "a.pth", "b.pt", "old.pth")]


def test_a_name_does_not_change_with_the_files_beside_it() -> None:
    _files("runs/r4/best.pth")
    before = _checkpoints(_cells('{model.checkpoint: "runs/*/best.pth"}'))
    _files("runs/r2/best.pth", "runs/other/best.pth")
    assert before.items() <= _checkpoints(_cells('{model.checkpoint: "runs/*/best.pth"}')).items()


def test_alike_names_are_whole_paths() -> None:
    _files("a/x/best.pth", "b/x/best.pth", "b/y/best.pth", "c/a  b.pth", "c/a b.pth", "y/best.pth")
    found = _checkpoints(_cells('{model.checkpoint: ["a/*/best.pth", "b/*/best.pth", "c/*", "y/best.pth"]}'))
    names = ("a/x/best.pth", "b/x/best.pth", "b/y/best.pth", "c/a b.pth #4", "c/a b.pth #5", "y/best.pth")
    assert [*found] == [f"checkpoint={name}" for name in names]
    assert len({*found.values()}) == 6


def test_any_depth_is_searched_but_not_behind_links_and_not_what_is_hidden() -> None:
    _files("runs/best.pth", "runs/a/b/best.pth", "runs/.trash/best.pth", "runs/.keep/best.pth")
    Path("runs/a/loop").symlink_to("..")
    found = _checkpoints(_cells('{model.checkpoint: "runs/**/best.pth"}'))
    assert [*found.values()] == ["runs/a/b/best.pth", "runs/best.pth"]
    assert [*_checkpoints(_cells('{model.checkpoint: "runs/.keep/*"}')).values()] == ["runs/.keep/best.pth"]


def test_special_characters_are_harmless(tmp_path: Path) -> None:
    _files("runs/${env.HOME}.pth", "runs/[r=8].pth", "runs/a, b=c.pth", "runs/\N{ESCAPE}[31m.pth", f"runs/{'x' * 200}")
    values = [*_checkpoints(_cells('{model.checkpoint: "runs/*"}')).values()]
    assert sorted(values) == sorted(str(path.relative_to(tmp_path)) for path in Path("runs").absolute().iterdir())
    names = [*_checkpoints(_cells('{model.checkpoint: "runs/*"}'))]
    assert "checkpoint=${env.HOME}.pth" in names
    assert "checkpoint=#5" in names, "too long a name is replaced by its number, as that of any other value"
    assert all(name.isprintable() for name in names)


def test_a_path_that_exists_as_it_is_written_is_itself() -> None:
    _files("runs/[r=8]/best.pth", "runs/r/best.pth")
    assert [*_checkpoints(_cells('{model.checkpoint: "runs/[r=8]/best.pth"}')).values()] == ["runs/[r=8]/best.pth"]
    assert [*_checkpoints(_cells('{model.checkpoint: "runs/[r]/best.pth"}')).values()] == ["runs/r/best.pth"]


def test_what_is_no_path_is_no_pattern() -> None:
    _files("a", "runs/a.pth")
    documents = _cells('{model.lora.target_modules: [".*qkv", "[a]"], model.checkpoint: ["https://x.org/*.pth"]}')
    assert [document.data["model"]["lora"]["target_modules"] for document in documents] == [".*qkv", "[a]"]
    said = 'spec.yaml:2:37: matrix: model.lora.target_modules: expected a list of values; found "*"; write ["*"]'
    assert _problem('{model.lora.target_modules: "*"}') == said
    assert [d.data["name"] for d in _cells('{x: ["*", "a*"]}', "name: ${matrix.x}\n")] == ["*", "a*"]
    assert [d.data["model"]["checkpoint"] for d in _cells('[{model.checkpoint: "runs/*"}]')] == ["runs/*"]


def test_a_variable_has_a_pattern_in_place_of_its_list() -> None:
    _files("runs/r4/best.pth", "runs/r4/val.csv", "runs/r8/best.pth", "runs/r8/val.csv")
    rest = "model: {checkpoint: '${matrix.trial}/best.pth'}\npredictions: {csv: '${matrix.trial}/val.csv'}\n"
    documents = _cells('{trial: "runs/*"}', rest)
    assert _checkpoints(documents) == {"trial=r4": "runs/r4/best.pth", "trial=r8": "runs/r8/best.pth"}
    assert documents[1].data["predictions"]["csv"] == "runs/r8/val.csv"


def test_references_in_a_pattern_are_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    _files("runs/a.pth", "runs/b.pth")
    monkeypatch.setenv("RETSPEC_TEST_PATTERN", "runs/*.pth")
    rest = "vars: {runs: runs}\n"
    for matrix in ('{model.checkpoint: ["${vars.runs}/*"]}', '{model.checkpoint: "${env.RETSPEC_TEST_PATTERN}"}'):
        assert [*_checkpoints(_cells(matrix, rest)).values()] == ["runs/a.pth", "runs/b.pth"]
    assert "unknown variable 'vars.gone'" in _problem('{model.checkpoint: ["${vars.gone}/*"]}')


def test_a_pattern_is_relative_to_the_file_that_says_it(tmp_path: Path) -> None:
    _files("base/runs/a.pth", "specs/runs/b.pth")
    assert [*_checkpoints(_cells('{model.checkpoint: "runs/*"}', folder="specs")).values()] == ["runs/b.pth"]
    assert [*_checkpoints(_cells('{model.checkpoint: "../base/runs/*"}', folder="specs"))] == ["checkpoint=a.pth"]
    absolute = str(tmp_path / "base/runs/*")
    assert [*_checkpoints(_cells(f'{{model.checkpoint: "{absolute}"}}')).values()] == [absolute.replace("*", "a.pth")]
    _cells('{model.checkpoint: "runs/*"}', folder="base")
    Path("specs/over.yaml").write_text("retspec: 1\nextends: ../base/spec.yaml\n")
    found = _checkpoints(load_cells("specs/over.yaml"))
    assert found == {"checkpoint=a.pth": "../base/runs/a.pth"}
    overridden = load_cells("specs/over.yaml", ["matrix.model.checkpoint=runs/*"])
    assert _checkpoints(overridden) == {"checkpoint=b.pth": "runs/b.pth"}


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (
            '{model.checkpoint: "runs/*/bset.pth"}',
            "nothing matches 'runs/*/bset.pth'; of the folders on the way, runs/a is the last that exists",
        ),
        ('{model.checkpoint: "rums/*.pth"}', "'rums/*.pth'; of the folders on the way, . is the last that exists"),
        ('{model.checkpoint: ["runs/a/best.pth", "x*"]}', "nothing matches 'x*'"),
        ('{model.checkpoint: "runs/**.pth"}', "runs/**.pth is no pattern of files: Invalid pattern"),
        (f'{{model.checkpoint: "{"x" * 300}/*"}}', "is no pattern of files: File name too long"),
        ('{model.checkpoint: "best.pth"}', 'expected a list of values; found "best.pth"; write ["best.pth"]'),
    ],
)
def test_a_pattern_that_finds_nothing_is_an_error_at_its_place(matrix: str, said: str) -> None:
    _files("runs/a/best.pth")
    problem = _problem(matrix)
    assert problem.startswith("spec.yaml:2:")
    assert said in problem


def test_a_spec_in_memory_has_patterns_too() -> None:
    _files("runs/a.pth")
    spec = {"retspec": 1, "matrix": {"model.checkpoint": "runs/*.pth"}, "checks": {"loss_drop": 0.5}}
    assert _checkpoints(load_cells(spec)) == {"checkpoint=a.pth": "runs/a.pth"}
    with pytest.raises(SpecError, match=r"nothing matches 'gone/\*'"):
        load_cells({**spec, "matrix": {"model.checkpoint": "gone/*"}})


def test_a_name_that_no_report_can_hold_is_refused() -> None:
    _files("runs/a.pth")
    with open(b"runs/\xff.pth", "wb"):  # noqa: PTH123 - a name of bytes
        pass
    assert "the name of the file 'runs/\\udcff.pth' is not UTF-8" in _problem('{model.checkpoint: "runs/*"}')


def test_thousands_of_files_take_no_time_that_grows_with_their_square() -> None:
    Path("runs").mkdir()
    for number in range(5000):
        os.mknod(f"runs/{number}.pth")
    node = Node("runs/*.pth", Mark("spec.yaml", 2, 1))
    files = Files(folder_of=lambda _: Path(), resolve=lambda node: node, most=10_000)
    begun = time.process_time()
    axis = files.axis("model.checkpoint", node, is_variable=False)
    assert time.process_time() - begun < 3
    assert (len(axis.node.children), axis.name(4999)) == (5000, "4999.pth")

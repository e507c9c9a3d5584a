"""`extends`: what becomes of files that are laid over each other, and where their values say they come from."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retspec.errors import Mark, Problem, SpecError
from retspec.spec.load import load
from retspec.spec.load.merge import merge
from retspec.spec.load.parse import parse
from retspec.spec.load.tree import Flat, Node

BASE = """\
retspec: 1
vars: {rank: 8}
model: {timm: x, checkpoint: weights/a.pth, lora: {r: "${vars.rank}", target_modules: [qkv, proj]}}
plugins: [my_checks.py, package.module]
checks:
  loss_drop: {limit: 0.5, tags: [slow]}
  merge_atol: 1e-5
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _write(**files: str) -> None:
    """Write files named by their paths, `__` standing for a slash, each with its version in front."""
    for name, text in files.items():
        path = Path(f"{name.replace('__', '/')}.yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if text.startswith("retspec") else f"retspec: 1\n{text}")


def _problems(path: str = "spec.yaml") -> list[str]:
    with pytest.raises(SpecError) as refusal:
        raise SpecError(load(path).problems)
    return [str(problem) for problem in refusal.value.problems]


def test_mappings_are_merged_lists_replaced_and_the_file_itself_wins() -> None:
    _write(base=BASE, spec="extends: base.yaml\nmodel: {lora: {target_modules: [fc1]}}\nchecks: {merge_atol: 1e-6}\n")
    document = load("spec.yaml")
    assert document.problems == ()
    assert document.data["model"]["lora"] == {"r": 8, "target_modules": ["fc1"]}
    assert document.data["checks"] == {"loss_drop": {"limit": 0.5, "tags": ["slow"]}, "merge_atol": 1e-6}
    assert "extends" not in document.data


def test_of_a_list_the_later_wins() -> None:
    _write(a="checks: {x: 1, y: 1}", b="checks: {y: 2, z: 2}", spec="extends: [a.yaml, b.yaml]\nchecks: {z: 3}")
    assert load("spec.yaml").data["checks"] == {"x": 1, "y": 2, "z": 3}


def test_variables_are_merged_before_they_are_resolved() -> None:
    _write(base=BASE, spec="extends: base.yaml\nvars: {rank: 16}\n")
    assert load("spec.yaml").data["model"]["lora"]["r"] == 16
    assert load("spec.yaml", ["vars.rank=4"]).data["model"]["lora"]["r"] == 4


def test_null_removes_a_key_and_what_is_below_it() -> None:
    _write(base=BASE, spec="extends: base.yaml\nmodel: {lora: null}\nchecks: {loss_drop: {tags: null}}\n")
    data = load("spec.yaml").data
    assert "lora" not in data["model"]
    assert data["checks"]["loss_drop"] == {"limit": 0.5}


def test_null_is_a_value_in_a_file_that_extends_nothing() -> None:
    _write(a="model: {kwargs: {x: 1}}", b="model: {kwargs: {x: null}}", spec="extends: [a.yaml, b.yaml]")
    assert load("spec.yaml").data["model"] == {"kwargs": {"x": None}}


@pytest.mark.parametrize("above", ["", "model: 3\n", "model: {lora: [r]}\n"])
def test_a_null_that_removes_nothing_is_told_with_its_near_miss(above: str) -> None:
    _write(base=f"{above}checks: {{loss_drop: 1}}", spec="extends: base.yaml\nchecks: {loss_dropp: null}\n")
    (problem,) = _problems()
    assert problem.startswith("spec.yaml:3:10: null removes a key, and what this file extends has no 'loss_dropp'")
    assert problem.endswith("did you mean 'loss_drop'?")
    _write(spec="extends: base.yaml\nmodel: {lora: {r: null}}\n")
    assert _problems()[0].startswith("spec.yaml:3:16: null removes a key")


def test_what_is_broken_in_the_upper_file_removes_nothing() -> None:
    _write(base=BASE, spec="extends: base.yaml\nchecks: {loss_drop: .nan}\n")
    (problem,) = _problems()
    assert ".nan is not a number" in problem


def test_every_value_says_which_file_wrote_it() -> None:
    _write(deep__base=BASE, spec="extends: deep/base.yaml\nchecks:\n  loss_drop: {limit: 0.7}\n")
    document = load("spec.yaml")
    assert document.mark(("checks", "merge_atol")) == Mark("deep/base.yaml", 7, 15)
    assert document.mark(("checks", "loss_drop", "tags")) == Mark("deep/base.yaml", 6, 33)
    assert document.mark(("checks", "loss_drop", "limit")) == Mark("spec.yaml", 4, 22)
    assert document.key_mark(("checks", "loss_drop")) == Mark("spec.yaml", 4, 3)
    assert document.mark(("model", "lora", "r")) == Mark("deep/base.yaml", 3, 55)


def test_a_problem_of_the_extended_file_is_told_there() -> None:
    _write(base="checks: {loss_drop: &x 1, loss_drop: 2}", spec="extends: base.yaml\nname: ${vars.gone}\n")
    assert [problem.partition(": ")[0] for problem in _problems()] == [
        "base.yaml:2:21",
        "base.yaml:2:27",
        "spec.yaml:3:7",
    ]


# Paths ------------------------------------------------------------------------------------------------------


def test_paths_of_an_extended_file_are_relative_to_it() -> None:
    _write(common__base=BASE, specs__spec="extends: ../common/base.yaml\nplugins: [own.py]\n")
    document = load("specs/spec.yaml")
    assert document.data["model"]["checkpoint"] == "../common/weights/a.pth"
    assert document.plugins == (str(Path("specs/own.py").absolute()),)
    _write(specs__spec="extends: ../common/base.yaml\n")
    document = load("specs/spec.yaml")
    assert document.data["plugins"] == ["../common/my_checks.py", "package.module"]
    assert [Path(plugin).resolve() for plugin in document.plugins[:1]] == [Path("common/my_checks.py").absolute()]


@pytest.mark.parametrize("name", ["/abs/a.pth", "https://example.org/a.pth", ""])
def test_what_is_no_relative_path_stays_as_it_is(name: str) -> None:
    _write(common__base=f"model: {{checkpoint: '{name}'}}", spec="extends: common/base.yaml")
    assert load("spec.yaml").data["model"]["checkpoint"] == name


def test_a_path_on_the_command_line_is_relative_to_the_spec() -> None:
    _write(common__base=BASE, spec="extends: common/base.yaml")
    assert load("spec.yaml", ["model.checkpoint=b.pth"]).data["model"]["checkpoint"] == "b.pth"


def test_a_linked_folder_is_left_by_its_real_door() -> None:
    """`..` leads out of the folder that a link leads to, not out of the link."""
    _write(real__deep__spec="extends: ../base.yaml", real__base=BASE)
    Path("link").symlink_to("real/deep")
    document = load("link/spec.yaml")
    assert document.data["model"]["checkpoint"] == "../weights/a.pth"
    assert document.mark(("checks",)).file == "link/../base.yaml"


def test_a_linked_spec_finds_what_lies_beside_the_file_itself() -> None:
    _write(real__spec="extends: base.yaml", real__base=BASE)
    Path("spec.yaml").symlink_to("real/spec.yaml")
    document = load("spec.yaml")
    assert document.data["model"]["checkpoint"] == "weights/a.pth"
    assert document.plugins[0] == str(Path("real/my_checks.py").absolute())


def test_the_hash_is_that_of_what_the_files_say_together(tmp_path: Path) -> None:
    _write(base="name: a\nchecks: {loss_drop: 0.5}", spec="extends: base.yaml\nchecks: {loss_drop: 0.6}")
    _write(whole="name: a\nchecks: {loss_drop: 0.6}")
    assert load("spec.yaml").sha256 == load("whole.yaml").sha256
    _write(one__common__base=BASE, one__spec="extends: common/base.yaml")
    _write(two__common__base=BASE, two__spec="extends: common/base.yaml")
    assert load("one/spec.yaml").sha256 == load(tmp_path / "two" / "spec.yaml").sha256


# Files ------------------------------------------------------------------------------------------------------


def test_a_file_that_is_reached_twice_is_no_cycle() -> None:
    _write(a="name: a", b="extends: a.yaml", c="extends: ./a.yaml", spec="extends: [b.yaml, c.yaml]")
    document = load("spec.yaml")
    assert document.data["name"] == "a"
    assert [Path(file).name for file in document.extended] == ["b.yaml", "a.yaml", "c.yaml"]


def test_a_cycle_is_told_with_its_chain() -> None:
    _write(spec="extends: a.yaml", a="extends: deep/b.yaml", deep__b="extends: ../a.yaml")
    assert _problems() == ["deep/b.yaml:2:10: a file extends itself: a.yaml -> deep/b.yaml -> a.yaml"]


def test_every_missing_file_is_told_where_it_is_named() -> None:
    _write(base="name: x", spec="extends:\n  - bas.yaml\n  - .\nname: ${vars.y}\n")
    first, second = _problems()
    assert first == "spec.yaml:3:5: extends: bas.yaml: there is no such file; did you mean 'base.yaml'?"
    assert second.startswith("spec.yaml:4:5: extends: . is a directory")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("''", 'expected the path of a spec, or a list of paths; found ""'),
        ("null", "found null"),
        ("3", "found 3"),
        ("{}", "found a mapping"),
        ("[[a.yaml]]", "found a list"),
        ("[]", "extends is empty"),
        ("${env.BASE}", "extends takes no references"),
    ],
)
def test_extends_names_files(text: str, message: str) -> None:
    _write(spec=f"extends: {text}\n")
    (problem,) = _problems()
    assert message in problem


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("retspec: 1.0", "this retspec reads version 1 of the spec, found 1.0"),
        ("retspec: {a: 1}", "this retspec reads version 1 of the spec, found a mapping"),
        ("- 1", "a spec is a mapping, found a list"),
        ("retspec: 1\n\tx: 1", "a tab"),
    ],
)
def test_an_extended_file_from_which_nothing_can_be_made_is_told(text: str, message: str) -> None:
    _write(spec="extends: base.yaml\n")
    Path("base.yaml").write_text(text)
    (problem,) = _problems()
    assert problem.startswith("base.yaml:")
    assert message in problem


def test_every_file_says_which_version_it_is_written_in() -> None:
    Path("base.yaml").write_text("checks: {x: 1}\n")
    Path("spec.yaml").write_text("extends: base.yaml\n")
    assert [problem.partition(": ")[0] for problem in _problems()] == ["base.yaml:1:1", "spec.yaml:1:1"]
    assert all("`retspec: 1` is missing" in problem for problem in _problems())


def test_too_long_a_chain_and_too_many_files_are_refused() -> None:
    _write(**{f"f{n}": f"extends: f{n + 1}.yaml" for n in range(20)}, f20="name: x")
    (problem,) = _problems("f0.yaml")
    assert problem.startswith("f7.yaml:2:10: more than 8 files extend each other: f0.yaml -> f1.yaml")
    _write(leaf="name: x", spec=f"extends: [{', '.join(['leaf.yaml'] * 20)}]")
    assert "a spec of more than 16 files" in _problems()[0]


def test_files_that_multiply_are_stopped() -> None:
    """Each of eight files names the next one twice: a hundred files to read, of which sixteen are."""
    _write(**{f"f{n}": f"extends: [f{n + 1}.yaml, f{n + 1}.yaml]" for n in range(7)}, f7="name: x")
    assert any("a spec of more than 16 files" in problem for problem in _problems("f0.yaml"))


def test_extends_cannot_be_set_from_outside() -> None:
    _write(spec="checks: {x: 1}", base="name: x")
    (problem,) = load("spec.yaml", ["extends=base.yaml"]).problems
    assert str(problem) == "--set extends=base.yaml:1:1: extends is read before --set; name the file in the spec"


# Laws -------------------------------------------------------------------------------------------------------

SINGLE = st.integers(0, 3) | st.booleans() | st.lists(st.integers(0, 3), max_size=2)
TREES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(st.sampled_from("abc"), SINGLE, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("ABC"), inner, max_size=3).flatmap(
        lambda upper: st.dictionaries(st.sampled_from("abc"), SINGLE, max_size=2).map(lambda lower: lower | upper)
    ),
    max_leaves=6,
)
"""Trees in which one key is never a mapping here and a single value there; capitals hold mappings."""
LAW = settings(max_examples=50)


def _node(data: Any) -> Node:
    node, problems = parse(json.dumps(data), lambda line, column: Mark("file", line, column))
    assert node is not None
    assert problems == []
    return node


def _data(node: Node) -> Any:
    return Flat().add(node)


@LAW
@given(tree=TREES)
def test_nothing_laid_over_or_under_a_tree_changes_it(tree: dict[str, Any]) -> None:
    assert _data(merge(_node({}), _node(tree))) == tree
    assert _data(merge(_node(tree), _node({}))) == tree
    assert _data(merge(_node(tree), _node(tree))) == tree


@LAW
@given(first=TREES, second=TREES, third=TREES)
def test_it_does_not_matter_which_two_of_three_are_merged_first(first: Any, second: Any, third: Any) -> None:
    one, two, three = map(_node, (first, second, third))
    assert _data(merge(merge(one, two), three)) == _data(merge(one, merge(two, three)))


def _leaves(data: Any, place: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if not isinstance(data, dict):
        return {place: data}
    return {where: leaf for key, entry in data.items() for where, leaf in _leaves(entry, (*place, key)).items()}


@LAW
@given(under=TREES, over=TREES)
def test_every_value_is_the_later_one(under: dict[str, Any], over: dict[str, Any]) -> None:
    assert _leaves(_data(merge(_node(under), _node(over)))) == _leaves(under) | _leaves(over)


@LAW
@given(under=TREES, over=TREES)
def test_what_null_removes_is_gone_and_nothing_else(under: dict[str, Any], over: dict[str, Any]) -> None:
    problems: list[Problem] = []
    result = _data(merge(_node(under), _node(over | dict.fromkeys(under)), removing=problems))
    assert problems == []
    assert result == {key: entry for key, entry in over.items() if key not in under}


def test_a_path_is_joined_without_detours() -> None:
    _write(a__b__spec="extends: ../../c/base.yaml", c__base="name: x")
    assert load(os.path.join("a", "b", "spec.yaml")).mark(("name",)) == Mark("c/base.yaml", 2, 7)  # noqa: PTH118


def test_the_file_of_a_checkpoint_that_is_a_mapping_is_relative_to_where_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shared").mkdir()
    base = "retspec: 1\nmodel: {timm: resnet18, checkpoint: {file: w.pth, key: ema}}\n"
    (tmp_path / "shared" / "base.yaml").write_text(base)
    (tmp_path / "mine.yaml").write_text("retspec: 1\nextends: shared/base.yaml\n")
    assert load("mine.yaml").data["model"]["checkpoint"] == {"file": "shared/w.pth", "key": "ema"}

"""`matrix`: which cells there are, what they are called, and what stands in each."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retspec.errors import Mark, SpecError, UsageError
from retspec.spec.load import load, load_cells

if TYPE_CHECKING:
    from retspec.spec.document import Document

SPEC = """\
model: {lora: {r: 2, alpha: "${matrix.model.lora.r}"}}
checks: {loss_drop: "${matrix.drop}", x: {limit: "${vars.x}"}}
vars: {x: 3, ranks: [4, 8], token: "${env.RETSPEC_TEST_TOKEN:-none}"}
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _cells(matrix: str, spec: str = SPEC, *overrides: str) -> list[Document]:
    Path("spec.yaml").write_text(f"retspec: 1\nmatrix: {matrix}\n{spec}")
    return load_cells("spec.yaml", overrides)


def _names(matrix: str, spec: str = SPEC) -> list[str]:
    documents = _cells(matrix, spec)
    assert all(document.problems == () for document in documents)
    return [document.cell for document in documents]


def _problems(matrix: str, spec: str = SPEC) -> list[str]:
    with pytest.raises(SpecError) as refusal:
        raise SpecError(problem for document in _cells(matrix, spec) for problem in document.problems)
    return [str(problem) for problem in refusal.value.problems]


def test_a_product_makes_a_cell_of_every_combination_and_the_last_key_changes_fastest() -> None:
    documents = _cells("{model.lora.r: [4, 8], drop: [0.1, 0.5]}")
    assert [document.cell for document in documents] == [
        "r=4, drop=0.1",
        "r=4, drop=0.5",
        "r=8, drop=0.1",
        "r=8, drop=0.5",
    ]
    third = documents[2].data
    assert third["model"]["lora"] == {"r": 8, "alpha": 8}
    assert third["checks"] == {"loss_drop": 0.1, "x": {"limit": 3}}
    assert "matrix" not in third
    assert len({document.sha256 for document in documents}) == 4


def test_a_list_holds_the_cells_themselves() -> None:
    documents = _cells("[{model.lora.r: 4, drop: 0.1}, {model.lora.r: 8, drop: 0.5, train.lr: 1e-3}]")
    assert [document.cell for document in documents] == ["r=4", "r=8, lr=0.001"]
    assert "train" not in documents[0].data
    assert documents[1].data["train"] == {"lr": 0.001}


def test_without_a_matrix_there_is_one_document_and_no_cell() -> None:
    Path("spec.yaml").write_text("retspec: 1\nname: x\n")
    (document,) = load_cells("spec.yaml")
    assert document == load("spec.yaml")
    assert document.cell == ""


def test_where_one_document_is_asked_for_a_matrix_is_refused() -> None:
    _cells("{model.lora.r: [4], drop: [1]}")
    with pytest.raises(SpecError, match=r"^spec.yaml:2:1: this spec has a matrix, and here one spec is asked for"):
        load("spec.yaml")


def test_a_key_sets_any_place_whether_it_is_there_or_not() -> None:
    spec = "checks: {a.b: {limit: 1}}\nvars: {x: 1}\nname: n${vars.x}\n"
    (document,) = _cells("{checks.a.b.limit: [2], data: [{synthetic: {}}], vars.x: [7], description: [d]}", spec)
    assert document.data["checks"] == {"a.b": {"limit": 2}}
    assert document.data["data"] == {"synthetic": {}}
    assert (document.data["name"], document.data["description"]) == ("n7", "d")


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("${matrix.model.kwargs.drop_rate}", 0.1),
        ("${matrix.drop_rate}", 0.1),
        ("${matrix.lora}", {"r": 4}),
        ("${matrix.lora.r}", 4),
        ("${matrix.model.lora.r}", 4),
        ("rank ${matrix.lora.r}", "rank 4"),
        ("${matrix.word}", "w"),
        ("${vars.through}", "w"),
    ],
)
def test_a_value_is_referred_to_by_its_key_or_the_last_word_of_it(reference: str, value: Any) -> None:
    matrix = "{model.kwargs.drop_rate: [0.1], model.lora: [{r: 4}], word: [w]}"
    spec = f"vars: {{through: '${{matrix.word}}'}}\nname: '${{vars.through}}'\ndescription: '{reference}'\n"
    (document,) = _cells(matrix, spec)
    assert document.problems == ()
    assert document.data["description"] == value


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("${matrix.rr}", "unknown variable 'matrix.rr'; matrix holds model.lora.r, train.r, x"),
        ("${matrix.r}", "matrix.r may be model.lora.r or train.r; write the whole key"),
        ("${matrix.x.y}", "unknown variable 'matrix.x.y'; matrix.x holds nothing"),
        ("${matrix}", "names a value of the matrix"),
    ],
)
def test_a_reference_to_no_value_of_the_cell_is_told_once(reference: str, message: str) -> None:
    (problem,) = _problems(
        "{model.lora.r: [1, 2], train.r: [3], x: [4]}", f"name: '{reference}'\ndescription: ${{matrix.x}}\n"
    )
    assert problem.startswith("spec.yaml:3:7: ")
    assert message in problem


def test_a_reference_to_a_matrix_needs_one() -> None:
    Path("spec.yaml").write_text("retspec: 1\nname: ${matrix.x}\n")
    assert "and there is none here" in str(load("spec.yaml").problems[0])


def test_a_value_may_refer_to_variables_to_another_value_and_to_a_list() -> None:
    assert _names("{model.lora.r: '${vars.ranks}', drop: ['${matrix.r}']}") == ["r=4", "r=8"]
    assert _names("'${vars.m}'", "vars: {m: {x: [1, 2]}}\nname: ${matrix.x}") == ["x=1", "x=2"]
    (problem,) = _problems("{x: ['${matrix.x}']}", "name: ${matrix.x}\n")
    assert "matrix.x refers to itself: matrix.x -> matrix.x" in problem


@pytest.mark.parametrize(
    ("matrix", "names"),
    [
        ("{a: [null, true, text, 1e-5]}", ["a=null", "a=true", "a=text", "a=1e-05"]),
        ("{a: [[qkv, proj], {r: 4}, []]}", ["a=[qkv, proj]", "a={r: 4}", "a=[]"]),
        ("{a: ['', b, '" + "long " * 20 + "']}", ["a=#1", "a=b", "a=#3"]),
        ("[{a: b}, {a: '" + "long " * 20 + "'}]", ["a=b", "a=#2"]),
        ("{train.a: [1], a: [2, 3]}", ["train.a=1, a=2", "train.a=1, a=3"]),
        ("{train.a: [1], data.a: [2], a: [3]}", ["train.a=1, data.a=2"]),
    ],
)
def test_a_cell_is_named_by_what_tells_it_from_the_others(matrix: str, names: list[str]) -> None:
    assert _names(matrix, "name: x\ndescription: ${matrix.a}\n") == names


def test_no_secret_is_in_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETSPEC_TEST_TOKEN", "s3cr3t-word")
    assert (
        _names(
            "{model.kwargs.token: ['${vars.token}', other], drop: [1], r: ['${matrix.token}']}",
            f"{SPEC}name: '${{matrix.r}}'\n".replace("${matrix.model.lora.r}", "1"),
        )[0]
        == "token=#1"
    )


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ("3", "spec.yaml:2:9: matrix: expected a mapping of keys to lists of values, or a list of cells; found 3"),
        ("{}", "spec.yaml:2:9: matrix: expected a mapping of keys to lists .* found an empty one"),
        ("[]", "spec.yaml:2:9: matrix: expected a mapping of keys to lists .* found an empty one"),
        ("", "spec.yaml:2:8: matrix: expected a mapping .* found null"),
        ("{drop: 4}", r"spec.yaml:2:16: matrix: drop: expected a list of values; found 4; write \[4\]"),
        ("{drop: {a: 1}}", "matrix: drop: expected a list of values; found a mapping$"),
        ("{drop: []}", "spec.yaml:2:16: matrix: drop has no value, so that no cell would be left"),
        ("[{drop: 1}, 3]", "spec.yaml:2:21: matrix: a cell is a mapping of keys to values; found 3"),
        ("[{}]", "matrix: a cell is a mapping of keys to values; found a mapping"),
        (
            "{modle.lora.r: [1]}",
            "spec.yaml:2:10: matrix: 'modle.lora.r' is not a place in a spec.* did you mean 'model'",
        ),
        ("{model..r: [1]}", "matrix: 'model..r' is not a place in a spec; write it like model.lora.r"),
        ("{plugins: [[a.py]]}", "matrix: plugins cannot differ from cell to cell"),
        ("{retspec: [2]}", "matrix: retspec cannot differ from cell to cell"),
        ("{matrix.a: [2]}", "matrix: matrix.a cannot differ from cell to cell"),
        ("{model.lora: [{}], model.lora.r: [1]}", "spec.yaml:2:28: matrix: model.lora already holds model.lora.r"),
        ("[{model.lora.r: 1, model: {}}]", "spec.yaml:2:11: matrix: model already holds model.lora.r"),
        (
            "{model.lora.r.x: [1]}",
            "spec.yaml:2:10: matrix: model.lora.r.x cannot be set: there is no 'x' in a single value",
        ),
        ("{unused: [1, 2]}", r"spec.yaml:2:10: nothing refers to \$\{matrix.unused\}, so that it changes nothing"),
        ("[{drop: 1}, {drop: 2}, {drop: 1}]", "spec.yaml:2:33: the matrix has 2 cells 'drop=1'; each is there once"),
        ("{drop: [1, '1']}", "spec.yaml:2:10: the matrix has 2 cells 'drop=1'"),
        ("{drop: '${vars.gone}'}", "spec.yaml:2:16: unknown variable 'vars.gone'"),
        (
            "{drop: [" + ", ".join(map(str, range(10_001))) + "]}",
            "spec.yaml:2:1: the matrix has more than 10,000 cells",
        ),
        ("{drop: &a [1]}", "spec.yaml:2:16: the anchor '&a' is not allowed"),
        ("{drop: [.nan]}", "spec.yaml:2:17: .nan is not a number"),
    ],
)
def test_what_is_wrong_with_a_matrix_is_told_once_at_its_place(matrix: str, expected: str) -> None:
    spec = (
        "model: {lora: {r: 2}}\nname: '${matrix.drop}'\nvars: {}\n" if "drop" in matrix else "model: {lora: {r: 2}}\n"
    )
    (problem,) = _problems(matrix, spec)
    assert re.search(expected, problem)


def test_a_place_in_the_matrix_is_the_place_of_its_value() -> None:
    first, second = _cells("{model.lora.r: [4, 8], drop: [1]}")
    assert first.mark(("model", "lora", "r")) == Mark("spec.yaml", 2, 25)
    assert second.mark(("model", "lora", "r")) == Mark("spec.yaml", 2, 28)
    assert second.key_mark(("model", "lora", "r")) == Mark("spec.yaml", 3, 16)


def test_what_is_set_from_outside_may_be_the_matrix_but_nothing_that_it_sets() -> None:
    names = [document.cell for document in _cells("{model.lora.r: [4, 8], drop: [1]}", SPEC, "matrix.model.lora.r=[2]")]
    assert names == ["r=2"]
    assert len(_cells("{model.lora.r: [4, 8], drop: [1]}", SPEC, "model.lora.alpha=3", "model.lora={alpha: 1}")) == 2
    with pytest.raises(UsageError, match=r"--set model.lora.r=3: the matrix sets model.lora.r in every cell"):
        _cells("{model.lora.r: [4, 8], drop: [1]}", SPEC, "model.lora.r=3")
    with pytest.raises(UsageError, match=r"--set model.lora.r=3: the matrix sets model.lora in every cell"):
        _cells("{model.lora: [{r: 4, alpha: 1}], drop: [1]}", SPEC, "model.lora.r=3")


def test_a_matrix_is_merged_as_everything_else() -> None:
    Path("base.yaml").write_text(f"retspec: 1\nmatrix: {{model.lora.r: [4, 8], drop: [1]}}\n{SPEC}")
    Path("over.yaml").write_text(
        "retspec: 1\nextends: base.yaml\nmodel: {lora: {alpha: 1}}\n"
        "matrix: {drop: [2, 3], model.lora.r: null, vars.x: [1]}\n"
    )
    assert [document.cell for document in load_cells("over.yaml")] == ["drop=2, x=1", "drop=3, x=1"]
    Path("over.yaml").write_text("retspec: 1\nextends: base.yaml\nmatrix: null\nchecks: null\nmodel: null\n")
    assert load("over.yaml").problems == ()


LISTS = st.dictionaries(
    st.sampled_from(["model.lora.r", "train.lr", "x", "y"]),
    st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True),
    min_size=1,
)


@settings(max_examples=40)
@given(lists=LISTS)
def test_every_combination_is_there_once_in_its_order(lists: dict[str, list[int]]) -> None:
    used = "".join(f"{key}: '${{matrix.{key}}}', " for key in lists if "." not in key)
    documents = _cells(str(lists), f"checks: {{{used}z: 1}}\n")
    expected = list(product(*lists.values()))
    places = [key for key in lists if "." in key]
    are_enough = places and all(len(values) == 1 for key, values in lists.items() if key not in places)
    named = places if are_enough else [*lists]
    assert [d.cell for d in documents] == [
        ", ".join(f"{k.rpartition('.')[2]}={v}" for k, v in zip(lists, values, strict=True) if k in named)
        for values in expected
    ]
    for document, values in zip(documents, expected, strict=True):
        assert document.problems == ()
        for key, value in zip(lists, values, strict=True):
            found: Any = document.data
            for step in key.split(".") if "." in key else ("checks", key):
                found = found[step]
            assert found == value

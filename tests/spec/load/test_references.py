from __future__ import annotations

from collections.abc import Callable

import pytest

from retspec.errors import SpecError
from retspec.spec.document import Document
from tests.environment import NAMES_IN_UTF8

Loaded = Callable[..., Document]

VARS = """\
retspec: 1
vars:
  rank: 8
  lr: 1e-3
  yes: true
  nested: {deep: [1, "${vars.rank}"]}
  alias: ${vars.nested}
  literal: $${kept}
"""


def _value(loaded: Loaded, text: str) -> object:
    document = loaded(f"{VARS}name: {text}\n")
    assert document.problems == ()
    assert "vars" not in document.data
    return document.data["name"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${vars.rank}", 8),
        ("${vars.lr}", 0.001),
        ("${vars.yes}", True),
        ("${vars.nested}", {"deep": [1, 8]}),
        ("${vars.alias.deep}", [1, 8]),
        ("${vars.nested.deep.1}", 8),
        ("r${vars.rank}-${vars.yes}", "r8-true"),
        ("'${vars.rank}'", 8),
        ("$${vars.rank}", "${vars.rank}"),
        ("${vars.literal}", "${kept}"),
        ("a $${b} ${vars.rank}", "a ${b} 8"),
        ("$ {} $5 $", "$ {} $5 $"),
    ],
)
def test_a_reference_to_a_variable(loaded: Loaded, text: str, value: object) -> None:
    assert repr(_value(loaded, text)) == repr(value)


@pytest.mark.parametrize(
    ("text", "environment", "value"),
    [
        ("${env.RETSPEC_TEST}", "1e-5", 1e-5),
        ("${env.RETSPEC_TEST}", "on", "on"),
        ("${env.RETSPEC_TEST}", " spaced ", " spaced "),
        ("${env.RETSPEC_TEST}", "${vars.rank}", "${vars.rank}"),
        ("x-${env.RETSPEC_TEST}", "1", "x-1"),
        ("${env.RETSPEC_TEST:-16}", None, 16),
        ("${env.RETSPEC_TEST:-16}", "", 16),
        ("${env.RETSPEC_TEST:-16}", "4", 4),
        ("${env.RETSPEC_TEST:-a:-b}", None, "a:-b"),
        ("${env.RETSPEC_TEST:-}", None, None),
    ],
)
def test_a_reference_to_the_environment(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch, text: str, environment: str | None, value: object
) -> None:
    monkeypatch.delenv("RETSPEC_TEST", raising=False)
    if environment is not None:
        monkeypatch.setenv("RETSPEC_TEST", environment)
    assert repr(_value(loaded, text)) == repr(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${vars.rnk}", "unknown variable 'vars.rnk'; vars holds rank, .*; did you mean 'rank'"),
        ("${vars.nested.dep}", "unknown variable 'vars.nested.dep'; vars.nested holds deep; did you mean 'deep'"),
        ("${vars.rank.x}", "unknown variable 'vars.rank.x'; vars.rank holds nothing"),
        ("${var.rank}", "unknown reference .*; did you mean 'vars'"),
        ("${vars}", "unknown reference"),
        ("${}", "unknown reference"),
        ("a ${vars.rank", "is never closed"),
        ("a ${vars.nested}", "vars.nested is a mapping and cannot be part of a text"),
        ("${env.RETSPEC_UNSET}", "the environment variable 'RETSPEC_UNSET' is not set"),
        ("${env.1x}", "names no environment variable"),
        ("${env.RETSPEC_UNSET:-.nan}", "the environment variable 'RETSPEC_UNSET': .nan"),
    ],
)
def test_a_reference_that_leads_nowhere_is_told_once(loaded: Loaded, text: str, message: str) -> None:
    document = loaded(f"{VARS}name: '{text}'\n")
    (problem,) = document.problems
    assert (problem.mark.line, problem.mark.column) == (9, 7)
    assert document.is_faulty(("name",))
    with pytest.raises(SpecError, match=message):
        raise SpecError(document.problems)


def test_a_cycle_is_told_once_and_with_its_way_round(loaded: Loaded) -> None:
    document = loaded("retspec: 1\nvars:\n  a: ${vars.b}\n  b: x ${vars.a}\nname: ${vars.a}\ndescription: ${vars.b}\n")
    assert [str(problem) for problem in document.problems] == [
        "spec.yaml:3:6: vars.b refers to itself: vars.b -> vars.a -> vars.b"
    ]
    assert document.is_faulty(("name",))
    assert document.is_faulty(("description",))


def test_a_variable_may_not_hold_itself(loaded: Loaded) -> None:
    (problem,) = loaded("retspec: 1\nvars: {a: {b: '${vars.a}'}}").problems
    assert "vars.a refers to itself" in problem.message


def test_siblings_of_a_mapping_may_refer_to_each_other(loaded: Loaded) -> None:
    document = loaded("retspec: 1\nvars: {a: {b: '${vars.a.c}', c: 1}}\nname: ${vars.a}")
    assert document.data["name"] == {"b": 1, "c": 1}


def test_no_unnamed_variable_of_the_environment_is_told(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETSPEC_SECRET", "hidden")
    (problem,) = loaded("retspec: 1\nname: ${env.RETSPEC_SECRETS}").problems
    assert "RETSPEC_SECRET'" not in problem.message


@NAMES_IN_UTF8
def test_an_environment_that_is_not_utf8_is_refused(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETSPEC_TEST", "\udcff")
    (problem,) = loaded("retspec: 1\nname: ${env.RETSPEC_TEST}").problems
    assert "is not UTF-8" in problem.message


def test_variables_are_a_mapping(loaded: Loaded) -> None:
    (problem,) = loaded("retspec: 1\nvars: [1]").problems
    assert str(problem) == "spec.yaml:2:7: vars is a mapping of names to values, found a list"


def _doubling(levels: int, value: str) -> str:
    lines = [f"  v{level}: {value.replace('NEXT', f'vars.v{level + 1}')}" for level in range(levels)]
    return "\n".join(["retspec: 1", "vars:", *lines, f"  v{levels}: x", "name: ${vars.v0}", ""])


def test_references_that_multiply_are_stopped(loaded: Loaded) -> None:
    """The laughs of a billion: thirty lines would make a gigabyte."""
    with pytest.raises(SpecError, match="multiply or nest beyond reason"):
        loaded(_doubling(30, "['${NEXT}', '${NEXT}']"))
    assert "64 KiB" in str(loaded(_doubling(30, "'${NEXT}${NEXT}'")).problems[0])


def test_a_long_chain_of_references_is_stopped(loaded: Loaded) -> None:
    (problem, *_) = loaded(_doubling(500, "${NEXT}")).problems
    assert "nest deeper than 50 levels" in problem.message


def test_a_part_of_what_cannot_be_followed_is_told_where_it_cannot(loaded: Loaded) -> None:
    document = loaded("retspec: 1\nvars: {a: '${vars.gone}'}\nname: ${vars.a.part}")
    (problem,) = document.problems
    assert problem.mark.line == 2
    assert document.is_faulty(("name",))

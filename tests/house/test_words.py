"""One word has one meaning: these once meant several things, and each is the name of one function now."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from tests.house.refresh import ROOT

WORDS = ("describe", "explain", "fit", "named", "one_line", "plain", "recognise", "summary", "visible")
DEFINED = Counter(
    statement.name
    for path in (ROOT / "retspec").rglob("*.py")
    for statement in ast.parse(path.read_text(encoding="utf-8")).body
    if isinstance(statement, ast.FunctionDef)
)


@pytest.mark.parametrize("word", WORDS)
def test_a_word_names_one_function(word: str) -> None:
    assert DEFINED[word] <= 1
    assert DEFINED["one_line"] == 1

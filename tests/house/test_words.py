"""One word has one meaning, and prose is plain: these once meant several things, each names one function now."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.house.refresh import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = ROOT / "retspec"

WORDS = ("describe", "explain", "fit", "named", "one_line", "plain", "recognise", "summary", "visible")
DEFINED = Counter(
    statement.name
    for path in PACKAGE.rglob("*.py")
    for statement in ast.parse(path.read_text(encoding="utf-8")).body
    if isinstance(statement, ast.FunctionDef)
)


@pytest.mark.parametrize("word", WORDS)
def test_a_word_names_one_function(word: str) -> None:
    assert DEFINED[word] <= 1
    assert DEFINED["one_line"] == 1


# English --------------------------------------------------------------------------------------------

DATED = re.compile(r"\b(told|whoever|anew|spared|shall)\b")
"""Words that a reader of today stumbles over, with a plain one for each: reported, anyone, again, skipped, must."""


def prose_of(text: str) -> Iterator[str]:
    """Yield the comments and docstrings of a module."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_prose_has_no_dated_words(path: Path) -> None:
    assert [text for text in prose_of(path.read_text(encoding="utf-8")) if DATED.search(text)] == []


def test_a_dated_word_is_found_in_a_comment_and_in_a_docstring() -> None:
    prose = [*prose_of('"""What was told."""\nx = 1  # made anew\n')]
    assert sorted(map(bool, map(DATED.search, prose))) == [True, True]

"""The numbers of a fact say what they are: their shape, their unit, what they are counted over."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.house.refresh import ROOT
from tests.plugins.conftest import EXAMPLE, RETFOUND

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = [
    *(ROOT / "retspec" / "facts").glob("*.py"),
    *(file for p in (EXAMPLE, RETFOUND) for file in p.rglob("facts.py")),
]
NUMBERS = re.compile(r"\bfloat\b|\btuple\[int|Mapping\[.*\bint\b")


def _undocumented(path: Path) -> Iterator[str]:
    """Yield the fields of the records of a file that are floats or several numbers, and have no docstring."""
    for record in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(record, ast.ClassDef):
            for field, after in zip(record.body, [*record.body[1:], None], strict=True):
                if isinstance(field, ast.AnnAssign) and NUMBERS.search(ast.unparse(field.annotation)):
                    documented = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                    if not documented:
                        yield f"{record.name}.{ast.unparse(field.target)}"


def test_the_facts_are_found() -> None:
    assert len(FILES) > 15


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_number_of_a_fact_is_documented(path: Path) -> None:
    assert list(_undocumented(path)) == []


def test_a_number_without_a_docstring_is_found(tmp_path: Path) -> None:
    path = tmp_path / "facts.py"
    path.write_text(
        'class Times:\n    name: str\n    seconds: tuple[float, ...]\n    shape: tuple[int, int]\n    "(h, w)."\n'
    )
    assert list(_undocumented(path)) == ["Times.seconds"]

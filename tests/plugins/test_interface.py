"""What a plugin imports of retspec is its public pages, and nothing else."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.plugins.conftest import EXAMPLE, RAY, RETFOUND, ROOT, SLURM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = ("retspec.executors", "retspec.facts", "retspec.faults", "retspec.plugin", "retspec.toolkit")
UNUSED = {"retspec.faults"}
"""Pages of which only the guide has an example."""
FILES = [file for plugin in (EXAMPLE, RAY, RETFOUND, SLURM) for file in sorted((plugin / "src").rglob("*.py"))]
HEAVY = ("torch", "timm", "peft", "torchvision", "numpy", "PIL")


def imported(text: str) -> Iterator[tuple[str, str]]:
    """Yield the module and the name of everything of retspec that a text imports, in functions and for types too."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            pairs = [(node.module or "", alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            pairs = [(alias.name, "") for alias in node.names]
        else:
            continue
        yield from (pair for pair in pairs if pair[0].partition(".")[0] == "retspec")


def beside_the_pages(text: str) -> list[str]:
    """Return what a text imports of retspec that no public page offers."""
    offered = {page: {*importlib.import_module(page).__all__} for page in PAGES}
    return [f"{module}.{name}" for module, name in imported(text) if name not in offered.get(module, ())]


def test_the_plugins_are_looked_at() -> None:
    assert {"measuring.py", "desk.py", "tail.py"} <= {file.name for file in FILES}
    assert {module for file in FILES for module, _ in imported(file.read_text())} == {*PAGES} - UNUSED


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_plugin_imports_nothing_but_the_public_pages(file: Path) -> None:
    assert beside_the_pages(file.read_text()) == []


@pytest.mark.parametrize(
    "line",
    [
        "from retspec.subjects.models.state import preserved",
        "import retspec.records",
        "import retspec",
        "from retspec import records",
        "def f():\n    from retspec.errors import Mark",
        "from retspec.plugin import replace",
        "from retspec.facts import dataclass",
    ],
)
def test_what_lies_beside_the_pages_is_found(line: str) -> None:
    assert len(beside_the_pages(line)) == 1


@pytest.mark.parametrize("page", PAGES)
def test_a_page_imports_no_torch(page: str) -> None:
    show = f"import sys, {page}; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    finished = subprocess.run([sys.executable, "-c", show], cwd=ROOT, capture_output=True, text=True, check=True)
    assert finished.stdout.split() == []


@pytest.mark.parametrize("page", ["retspec.executors", "retspec.faults", "retspec.plugin", "retspec.toolkit"])
def test_a_page_explains_each_of_its_names(page: str) -> None:
    module = importlib.import_module(page)
    assert [name for name in module.__all__ if not re.search(rf"`@?{name}\b", module.__doc__ or "")] == []

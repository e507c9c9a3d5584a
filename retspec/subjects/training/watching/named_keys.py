"""The texts that a training's own code holds: a key that none of them names is not read by name anywhere."""

from __future__ import annotations

import ast
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_FILES = 1000
_NOT_THEIRS = {"site-packages", "dist-packages", "node_modules", "__pycache__"}


def text_constants(folder: Path) -> frozenset[str]:
    """Return every text constant in the Python files below a folder, and in other modules of the user's."""
    found: set[str] = set()
    for file in {*islice(_below(folder), _MOST_FILES), *_imported()}:
        try:
            tree = ast.parse(file.read_text(encoding="utf-8", errors="replace"))
        except (OSError, SyntaxError, ValueError):
            continue
        found |= {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
    return frozenset(part for text in found for part in (text, *text.split(".")))  # "model.depth" names both


def _below(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*.py"):
        parts = file.relative_to(folder).parts
        if not any(part in _NOT_THEIRS or part.startswith(".") for part in parts):
            yield file


def _imported() -> Iterator[Path]:
    """Give the files of imported modules that are neither installed nor of Python or retspec."""
    own = Path(__file__).parents[3]
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or not file.endswith(".py"):
            continue
        path = Path(file)
        is_python = path.is_relative_to(Path(ast.__file__).parent)
        if not is_python and _NOT_THEIRS.isdisjoint(path.parts) and not path.is_relative_to(own):
            yield path
